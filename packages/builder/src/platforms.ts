import { formatPlatform, hostPlatform, parsePlatform } from '@caisson/oci';
import { buildError } from './failure.ts';
import type { Platforms } from './plan/predefined-args.ts';

function platformsOf(target: string | undefined): Platforms {
  const build = hostPlatform();
  if (target === undefined) return { target: build, build };
  const parsed = parsePlatform(target);
  if (parsed.ok) return { target: parsed.value, build };
  throw buildError('invalid-request', `the platform to build for: ${parsed.error}`);
}

/** What is built for, each platform once, and on: for this machine where none is asked for. @throws BuildError `invalid-request` */
export function allPlatformsOf(targets: readonly string[] = []): AllPlatforms {
  const all = targets.map(platformsOf);
  const [first = platformsOf(undefined), ...others] = new Map(
    all.map((each) => [formatPlatform(each.target), each]),
  ).values();
  return [first, ...others];
}

/** At least one. */
type AllPlatforms = readonly [Platforms, ...(readonly Platforms[])];
