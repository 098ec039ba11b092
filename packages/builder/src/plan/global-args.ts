import { expandGlobalArgs, type Diagnostic, type Dockerfile } from '@caisson/parser';
import { platformArgs, type Platforms } from './predefined-args.ts';

/** The args before the first FROM, as a build for a platform has them. */
export function globalArgs(
  dockerfile: Dockerfile,
  buildArgs: ReadonlyMap<string, string>,
  platforms: Platforms,
  target: string | undefined,
): { readonly args: ReadonlyMap<string, string>; readonly problems: readonly Diagnostic[] } {
  return expandGlobalArgs(dockerfile, platformArgs(platforms, target), buildArgs);
}
