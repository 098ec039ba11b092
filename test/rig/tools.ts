import { accessSync, constants } from 'node:fs';
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

/** What a test may need of the machine that it runs on. */
export type Need = keyof typeof TOOLS | 'root';

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
  return needs.filter((need) => (need === 'root' ? process.getuid?.() !== 0 : findTool(need) === undefined));
}

/** For `describe.skipIf`: whether something is missing here. */
export function lacks(...needs: readonly Need[]): boolean {
  return missing(...needs).length > 0;
}
