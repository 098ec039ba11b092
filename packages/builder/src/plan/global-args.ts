import { expansionError, expandWord, type Diagnostic, type Dockerfile } from '@caisson/parser';
import { platformArgs, type Platforms } from './predefined-args.ts';

/**
 * The args before the first FROM, in order: each sees those before it. A value that the build is given replaces the
 * default, which is then not even looked at.
 */
export function globalArgs(
  { globalArgs: instructions, escape }: Dockerfile,
  buildArgs: ReadonlyMap<string, string>,
  platforms: Platforms,
  target: string | undefined,
): { readonly args: ReadonlyMap<string, string>; readonly problems: readonly Diagnostic[] } {
  const args = platformArgs(platforms, target);
  for (const name of args.keys()) {
    const given = buildArgs.get(name);
    if (given !== undefined) args.set(name, given);
  }
  const problems: Diagnostic[] = [];
  for (const { name, value } of instructions.flatMap((instruction) => instruction.args)) {
    const given = buildArgs.get(name.text);
    if (given !== undefined) args.set(name.text, given);
    else if (value !== undefined) {
      const expanded = expandWord(value.text, args, { escape });
      if (expanded.ok) args.set(name.text, expanded.value);
      else problems.push(expansionError(value.range, expanded.error));
    }
  }
  return { args, problems };
}
