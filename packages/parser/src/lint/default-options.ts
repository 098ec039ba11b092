import type { Dockerfile } from '../ast.ts';
import { expandWord } from '../expand.ts';
import type { LintOptions } from './lint-options.ts';

/** Args that every build has before the first FROM; what they are is not known here. */
const PREDEFINED = ['BUILD', 'TARGET'].flatMap((prefix) =>
  ['PLATFORM', 'OS', 'OSVERSION', 'ARCH', 'VARIANT'].map((name) => `${prefix}${name}`),
);

/** What the lint goes by where nobody says more: no build args, the defaults of ARGs, base images that nobody knows. */
export function withDefaults(dockerfile: Dockerfile, given: Partial<LintOptions>): LintOptions {
  const defaults = defaultArgs(dockerfile);
  return {
    buildArgs: new Map(),
    globalArgs: defaults ?? new Map(),
    globalDefaults: defaults,
    bases: new Map(),
    ...given,
  };
}

/** The args before the first FROM; undefined where one cannot be expanded. */
function defaultArgs({ globalArgs, escape }: Dockerfile): ReadonlyMap<string, string> | undefined {
  const args = new Map<string, string>([...PREDEFINED, 'TARGETSTAGE'].map((name) => [name, '']));
  for (const { name, value } of globalArgs.flatMap((instruction) => instruction.args)) {
    if (value === undefined) continue;
    const expanded = expandWord(value.text, args, { escape });
    if (!expanded.ok) return undefined;
    args.set(name.text, expanded.value);
  }
  return args;
}
