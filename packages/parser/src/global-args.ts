import type { Dockerfile } from './ast.ts';
import type { Diagnostic } from './diagnostic.ts';
import { expandWord } from './expand.ts';
import { expansionError } from './expansion-error.ts';

/** The args that every build has before the first FROM: what is built on what, and the stage that is built. */
export const PLATFORM_ARGS: readonly string[] = [
  ...['BUILD', 'TARGET'].flatMap((prefix) =>
    ['PLATFORM', 'OS', 'OSVERSION', 'ARCH', 'VARIANT'].map((name) => `${prefix}${name}`),
  ),
  'TARGETSTAGE',
];

/**
 * The args before the first FROM, in order: each sees those before it. A value that the build is given replaces the
 * default, which is then not even looked at.
 * @param predefined the values of {@link PLATFORM_ARGS}, as far as they are known
 */
export function expandGlobalArgs(
  { globalArgs, escape }: Dockerfile,
  predefined: ReadonlyMap<string, string>,
  buildArgs: ReadonlyMap<string, string>,
): { readonly args: ReadonlyMap<string, string>; readonly problems: readonly Diagnostic[] } {
  const args = new Map(predefined);
  for (const name of args.keys()) {
    const given = buildArgs.get(name);
    if (given !== undefined) args.set(name, given);
  }
  const problems: Diagnostic[] = [];
  for (const { name, value } of globalArgs.flatMap((instruction) => instruction.args)) {
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
