import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

/** Programs that some tests need, and the Debian package that each comes with. */
export const TOOLS = {
  busybox: 'busybox-static',
  crun: 'crun',
  runc: 'runc',
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  umoci: 'umoci',
  setfattr: 'attr',
  mmdebstrap: 'mmdebstrap',
  openssl: 'openssl',
  'ssh-agent': 'openssh-client',
  git: 'git',
  xz: 'xz-utils',
  bzip2: 'bzip2',
  'mkfs.ext4': 'e2fsprogs',
  strace: 'strace',
  sudo: 'sudo',
  tmux: 'tmux',
  zsh: 'zsh',
  fish: 'fish',
  newuidmap: 'uidmap',
  igzip: 'isal',
} as const;

/** What else some tests need. */
const CONDITIONS = {
  root: { isMet: () => process.getuid?.() === 0, otherwise: 'this is another user' },
  'an emulator of arm64': {
    isMet: () => process.arch === 'arm64' || existsSync('/proc/sys/fs/binfmt_misc/qemu-aarch64'),
    otherwise: 'the kernel was told of none (Debian: qemu-user-static, binfmt-support)',
  },
} as const;

/** Whether something is a program, and no condition. */
function isTool(need: Need): need is keyof typeof TOOLS {
  return need in TOOLS;
}

/** What a test may need of the machine that it runs on. */
export type Need = keyof typeof TOOLS | keyof typeof CONDITIONS;

/** Where a program lies; undefined where it does not. */
export function findTool(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(':')
    .concat('/usr/sbin', '/sbin')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** What is missing here of what a test needs. Tests that miss something are skipped; `npm test` says so at its end. */
export function missing(...needs: readonly Need[]): Need[] {
  return needs.filter((need) => (isTool(need) ? findTool(need) === undefined : !CONDITIONS[need].isMet()));
}

/** For `describe.skipIf`: whether something is missing here. */
export function lacks(...needs: readonly Need[]): boolean {
  return missing(...needs).length > 0;
}

/** What was skipped for want of something, and why that is missing: a line each. */
export function skipped(): string[] {
  const tools = Object.entries(TOOLS).map(([name, debian]) => ({
    name,
    isMet: findTool(name) !== undefined,
    otherwise: `it is not installed (Debian: ${debian})`,
  }));
  const others = Object.entries(CONDITIONS).map(([name, { isMet, otherwise }]) => ({
    name,
    isMet: isMet(),
    otherwise,
  }));
  return [...tools, ...others]
    .filter(({ isMet }) => !isMet)
    .map(({ name, otherwise }) => `skipped what needs ${name}: ${otherwise}`);
}
