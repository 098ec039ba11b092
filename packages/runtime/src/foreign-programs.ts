import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatPlatform, hostPlatform, type Platform } from '@caisson/oci';

/** Architectures whose programs others run as well. */
const ALSO_RUN: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] };

/** What QEMU calls an architecture, where that is not its name in images. */
const QEMU_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    amd64: 'x86_64',
    arm64: 'aarch64',
    '386': 'i386',
    mips64le: 'mips64el',
    loong64: 'loongarch64',
  }),
);

const BINFMT = '/proc/sys/fs/binfmt_misc';

/**
 * Whether this machine can run the programs of a platform: its own, or those that the kernel was told an emulator for.
 * @param binfmt where the kernel shows its interpreters
 * @see https://docs.kernel.org/admin-guide/binfmt-misc.html
 */
export function canRunProgramsOf(platform: Platform, host = hostPlatform(), binfmt = BINFMT): boolean {
  if (platform.os !== host.os) return false;
  const { architecture } = platform;
  if (architecture === host.architecture) return true;
  if (ALSO_RUN[host.architecture]?.includes(architecture) === true) return true;
  return isEnabled(join(binfmt, `qemu-${QEMU_NAMES.get(architecture) ?? architecture}`));
}

function isEnabled(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').startsWith('enabled');
  } catch {
    return false;
  }
}

/** The architectures that this machine has emulators for, as images call them. @param binfmt as above */
export function emulatedArchitectures(binfmt = BINFMT): string[] {
  const names = new Map([...QEMU_NAMES].map(([architecture, name]) => [name, architecture]));
  return namesIn(binfmt)
    .flatMap((file) => /^qemu-(.+)$/.exec(file)?.slice(1) ?? [])
    .filter((name) => isEnabled(join(binfmt, `qemu-${name}`)))
    .map((name) => names.get(name) ?? name)
    .toSorted();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What to do where they cannot be run. */
export function emulatorHint(platform: Platform): string {
  return `the packages qemu-user-static and binfmt-support let the kernel run programs for ${formatPlatform(platform)}`;
}
