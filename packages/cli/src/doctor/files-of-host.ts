import { lstatSync, mkdirSync, readlinkSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { inUserNamespace, type SandboxRequest } from '@caisson/runtime';

/** A root with the programs of this machine, for a sandbox in which one of them is tried. */
export interface FilesOfHost {
  /** What lies underneath. */
  readonly root: string;
  /** A program that does nothing, by its real path. */
  readonly program: string;
  readonly mounts: SandboxRequest['spec']['mounts'];
}

/** Where programs and the libraries that they need lie. */
const PROGRAM_FOLDERS = ['bin', 'lib', 'lib64', 'usr'];

/**
 * The files of this machine. Root of a user namespace cannot mount an overlay over those of the real root: a folder of its own
 * is the root there, with the machine's programs mounted in it.
 * @param newFolder a path for a folder that nobody needs afterwards
 */
export function filesOfHost(newFolder: () => string): FilesOfHost {
  const program = join(realpathSync('/bin'), 'true');
  if (!inUserNamespace()) return { root: '/', program, mounts: [] };
  const root = newFolder();
  mkdirSync(root, { mode: 0o755 });
  const mounts: { kind: 'folder'; source: string; target: string; isReadOnly: true }[] = [];
  for (const name of PROGRAM_FOLDERS) {
    const path = `/${name}`;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true) symlinkSync(readlinkSync(path), join(root, name));
    else if (stats?.isDirectory() === true)
      mounts.push({ kind: 'folder', source: path, target: path, isReadOnly: true });
  }
  return { root, program, mounts };
}
