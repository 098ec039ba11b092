import { arch } from 'node:process';
import { err, ok, type Result } from './result.ts';

/**
 * What an image runs on.
 * @see https://github.com/opencontainers/image-spec/blob/main/image-index.md (the `platform` property)
 */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Other names of architectures. */
const ARCHITECTURES: ReadonlyMap<string, Omit<Platform, 'os'>> = new Map(
  Object.entries({
    x64: { architecture: 'amd64' },
    x86_64: { architecture: 'amd64' },
    'x86-64': { architecture: 'amd64' },
    aarch64: { architecture: 'arm64' },
    arm64: { architecture: 'arm64' },
    armhf: { architecture: 'arm', variant: 'v7' },
    armel: { architecture: 'arm', variant: 'v6' },
    arm: { architecture: 'arm', variant: 'v7' },
    ia32: { architecture: '386' },
    i386: { architecture: '386' },
    ppc64: { architecture: 'ppc64le' },
    loong64: { architecture: 'loong64' },
  }),
);

/** Architectures that have one name. */
const PLAIN: ReadonlySet<string> = new Set([
  'amd64',
  '386',
  'riscv64',
  's390x',
  'ppc64le',
  'mips64le',
  'mips64',
  'wasm',
]);

/** The names of architectures, as platforms have them. */
export const KNOWN_ARCHITECTURES: readonly string[] = [
  ...new Set([...PLAIN, ...[...ARCHITECTURES.values()].map(({ architecture }) => architecture)]),
];

/** The platform of this machine. Steps run on it, and images are chosen for it, unless told otherwise. */
export function hostPlatform(): Platform {
  return normalise({ os: 'linux', architecture: arch });
}

/** The platform that a config or a descriptor names, without the rest of it. */
export function platformOf({ os, architecture, variant }: Platform): Platform {
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** `os/architecture[/variant]`, as in `--platform` and `TARGETPLATFORM`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** The names of operating systems, as platforms have them. */
export const KNOWN_SYSTEMS: readonly string[] = ['linux', 'windows', 'darwin', 'freebsd'];

const SYSTEMS: ReadonlySet<string> = new Set([...KNOWN_SYSTEMS, 'macos']);

/**
 * Reads `os/architecture[/variant]`, or one of the two where the other is this machine's. Common other names of an
 * architecture (`x86_64`, `aarch64`) are understood.
 */
export function parsePlatform(text: string): Result<Platform, string> {
  const parts = completed(text).split('/');
  const [os, architecture, variant] = parts;
  if (parts.length > 3 || !os || !architecture || parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) {
    return err(`"${text}" is not a platform: expected os/architecture[/variant], for example linux/arm64`);
  }
  return ok(normalise(variant === undefined ? { os, architecture } : { os, architecture, variant }));
}

function completed(text: string): string {
  const name = text.toLowerCase();
  if (SYSTEMS.has(name)) return `${name}/${hostPlatform().architecture}`;
  return ARCHITECTURES.has(name) || PLAIN.has(name) ? `linux/${name}` : text;
}

/** The platform in the names that indexes use; a variant that says nothing (`arm64/v8`) is dropped. */
export function normalise(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  const named = platform.architecture.toLowerCase();
  const known = ARCHITECTURES.get(named) ?? { architecture: named };
  const variant = platform.variant?.toLowerCase() ?? known.variant;
  const architecture = known.architecture;
  if (variant === undefined || variant === '') return { os, architecture };
  if (architecture === 'arm64' && (variant === 'v8' || variant === '8')) return { os, architecture };
  if (architecture === 'amd64' && variant === 'v1') return { os, architecture };
  return { os, architecture, variant: /^\d$/.test(variant) ? `v${variant}` : variant };
}

/**
 * Whether an image for `have` runs where `want` was asked for. A lower variant of the same architecture runs on a
 * higher one (an arm v6 image on v7), never the other way round.
 */
export function runsOn(have: Platform, want: Platform): boolean {
  const a = normalise(have);
  const b = normalise(want);
  if (a.os !== b.os || a.architecture !== b.architecture) return false;
  return variantRank(a) <= variantRank(b);
}

/** How demanding a variant is: the number in `v7`, and what goes without saying where none is given. */
export function variantRank(platform: Platform): number {
  const variant = platform.variant ?? (platform.architecture === 'arm64' ? 'v8' : 'v1');
  const rank = /^v(\d+)/.exec(variant)?.[1];
  return rank === undefined ? 0 : Number(rank);
}
