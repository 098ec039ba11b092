import { hostPlatform, parsePlatform } from '@caisson/oci';
import { buildError } from './failure.ts';
import type { Platforms } from './plan/predefined-args.ts';

/** What is built for, and on. @throws BuildError `invalid-request` */
export function platformsOf(target: string | undefined): Platforms {
  const build = hostPlatform();
  if (target === undefined) return { target: build, build };
  const parsed = parsePlatform(target);
  if (parsed.ok) return { target: parsed.value, build };
  throw buildError('invalid-request', `the platform to build for: ${parsed.error}`);
}
