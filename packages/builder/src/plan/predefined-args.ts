import { formatPlatform, type Platform } from '@caisson/oci';
import { PLATFORM_ARGS } from '@caisson/parser';

/** Args of every build that steps see without asking, but that are in no key and no history. */
const PROXY_ARGS = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'];

/** The proxy variables that a step gets from build args: in both cases, the one in lower case counting where both are given. */
export function proxyEnv(buildArgs: ReadonlyMap<string, string>): string[] {
  return PROXY_ARGS.flatMap((name) => {
    const value = buildArgs.get(name.toLowerCase()) ?? buildArgs.get(name);
    return value === undefined ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`];
  });
}

/** Whether a build arg is one of those. */
export function isProxyArg(name: string): boolean {
  return (
    PROXY_ARGS.includes(name.toUpperCase()) && (name === name.toUpperCase() || name === name.toLowerCase())
  );
}

/** What is built on what. */
export interface Platforms {
  readonly target: Platform;
  readonly build: Platform;
}

/** The args of the global scope that say what is built for what. */
export function platformArgs(
  { target, build }: Platforms,
  targetStage: string | undefined,
): Map<string, string> {
  return new Map([
    ...argsOf('BUILD', build),
    ...argsOf('TARGET', target),
    ['TARGETSTAGE', targetStage ?? 'default'],
  ]);
}

function argsOf(prefix: 'BUILD' | 'TARGET', platform: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
}

/** Whether a build arg means something without being declared. */
export function isPredefinedArg(name: string): boolean {
  return (
    isProxyArg(name) ||
    PLATFORM_ARGS.includes(name) ||
    name === 'SOURCE_DATE_EPOCH' ||
    name.startsWith('BUILDKIT_')
  );
}
