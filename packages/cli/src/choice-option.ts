import { Option } from 'commander';

/**
 * A flag that takes one of some words, or some of them: shells complete them. Whether it is one of them is asked where
 * the flag is read, since a variable may stand for it.
 */
export function choiceOption(flags: string, description: string, choices: readonly string[]): Option {
  const option = new Option(flags, description);
  option.argChoices = [...choices];
  return option;
}
