import type { RegistryOptions } from '@caisson/registry';
import { version } from './version.ts';
import { UsageError } from './usage-error.ts';

export const MIRROR_FLAG = '--registry-mirror <registry=url>';
export const MIRROR_HELP = 'where to ask for the images of a registry first; may be given several times';

/** What flags and the environment say of registries. @throws UsageError */
export function registryOptions(
  mirrorFlags: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): RegistryOptions {
  const mirrors = new Map<string, string[]>();
  for (const flag of mirrorFlags) {
    const equals = flag.indexOf('=');
    const registry = flag.slice(0, Math.max(0, equals));
    const mirror = flag.slice(equals + 1);
    if (registry === '' || mirror === '') {
      throw new UsageError(`--registry-mirror ${JSON.stringify(flag)} names no mirror`, {
        expected: 'REGISTRY=URL, for example docker.io=http://127.0.0.1:5000',
      });
    }
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), mirror]);
  }
  return { mirrors, env, userAgent: `caisson/${version}` };
}
