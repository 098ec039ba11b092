import { Argument, Command } from 'commander';
import { helpNotes } from '../help-notes.ts';
import type { CommandContext } from '../command-context.ts';
import { readBashLine } from '../completion/bash-line.ts';
import { complete } from '../completion/complete.ts';
import { SCRIPTS, SHELLS } from '../completion/scripts.ts';
import { oneOf } from '../parse-options.ts';

/** `caisson completion` */
export function completionCommand({ terminal }: CommandContext): Command {
  const shell = new Argument('<shell>', 'bash, zsh or fish');
  shell.argChoices = [...SHELLS];
  return new Command('completion')
    .summary('print what makes a shell complete command lines')
    .description(
      'Prints a script with which a shell completes commands, flags, images, stages, builds and paths. It asks caisson for them: it need not be printed again for a newer one.',
    )
    .addArgument(shell)
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['caisson completion fish > ~/.config/fish/completions/caisson.fish'],
          ["echo 'source <(caisson completion bash)' >> ~/.bashrc"],
          ["echo 'source <(caisson completion zsh)' >> ~/.zshrc", 'after compinit'],
        ],
      }),
    )
    .action((name: string) => {
      terminal.out(SCRIPTS[oneOf('the shell', name, SHELLS)]);
    });
}

/** `caisson __complete`: what the scripts ask. */
export function completeCommand({ terminal }: CommandContext): Command {
  return new Command('__complete')
    .argument('<shell>')
    .argument('[words...]')
    .action(async (name: string, given: readonly string[], _flags: unknown, self: Command) => {
      const program = self.parent;
      if (program === null) throw new Error('Internal error: a command without a program');
      const isBash = oneOf('the shell', name, SHELLS) === 'bash';
      const [breaks = '', line = ''] = given;
      const { words, kept } = isBash ? readBashLine(line, breaks) : { words: given, kept: 0 };
      const { files, candidates } = await complete(program, words, terminal);
      const lines = candidates.map(({ value, description }) =>
        isBash ? value.slice(kept) : `${value}\t${description}`,
      );
      terminal.out(`${[files, ...lines].join('\n')}\n`);
    });
}
