import type { Dockerfile } from '../ast.ts';
import { expandGlobalArgs, PLATFORM_ARGS } from '../global-args.ts';
import type { LintOptions } from './lint-options.ts';

/** What the predefined args are is not known here. */
const UNKNOWN_PLATFORMS: ReadonlyMap<string, string> = new Map(PLATFORM_ARGS.map((name) => [name, '']));

/** What the lint goes by where nobody says more: no build args, the defaults of ARGs, base images that nobody knows. */
export function withDefaults(dockerfile: Dockerfile, given: Partial<LintOptions>): LintOptions {
  const defaults = {
    buildArgs: new Map<string, string>(),
    bases: new Map(),
  };
  if (given.globalArgs !== undefined && 'globalDefaults' in given)
    return { ...defaults, globalArgs: given.globalArgs, globalDefaults: given.globalDefaults, ...given };
  const { args, problems } = expandGlobalArgs(dockerfile, UNKNOWN_PLATFORMS, new Map());
  const known = problems.length === 0 ? args : undefined;
  return { ...defaults, globalArgs: known ?? new Map(), globalDefaults: known, ...given };
}
