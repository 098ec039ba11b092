import { lstatSync, mkdirSync, readlinkSync, chownSync, chmodSync } from 'node:fs';
import {
  bytesOf,
  fsPath,
  hostPath,
  inFolder,
  parentsOf,
  resolveInRoot,
  textOf,
  type BytePath,
  type HostPath,
  type Kind,
  type Resolved,
} from '@caisson/layer';
import { RuntimeError } from '../errors.ts';

/**
 * The root of a sandbox before anything runs in it, seen from outside. Every path is followed name by name inside the
 * root, as the program in it would; that is sound because nothing else can change it yet.
 */
export class RootFolder {
  readonly #root: HostPath;

  constructor(root: string) {
    this.#root = hostPath(root);
  }

  /** Where a path of the sandbox lies on the host. No component of it may be a symlink: see {@link resolve}. */
  locate(path: BytePath): HostPath {
    return inFolder(this.#root, path);
  }

  /** Follows a path to what it names, or to where that would be made. */
  resolve(path: string): Resolved {
    return resolveInRoot((at) => this.inspect(at), bytesOf(path), 'follow');
  }

  /** As {@link resolve}, where a path that leads nowhere is an error. */
  follow(path: string): Extract<Resolved, { ok: true }> {
    const resolved = this.resolve(path);
    if (resolved.ok) return resolved;
    const why =
      resolved.reason === 'not-a-directory'
        ? `/${textOf(resolved.path)} is no folder`
        : 'it leads round in a circle';
    throw new RuntimeError('unsafe-path', `the image has no usable ${path}: ${why}`);
  }

  /** The mode of a tmpfs at a path: that of the folder that is there, as OCI runtimes have it; one of its own for a new one. */
  tmpfsMode(path: string): number {
    const resolved = this.resolve(path);
    if (!resolved.ok || resolved.kind?.type !== 'directory') return 0o1777;
    return lstatSync(fsPath(this.locate(resolved.path))).mode & 0o7777;
  }

  /** What lies at a path whose parents are folders. */
  readonly inspect = (path: BytePath): Kind | undefined => {
    const at = fsPath(this.locate(path));
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (stats.isDirectory()) return { type: 'directory' };
    if (stats.isSymbolicLink()) return { type: 'symlink', target: readlinkSync(at, 'latin1') };
    return { type: 'other' };
  };

  /** Makes a folder and the missing ones on the way to it. The path must have been followed. Returns those that were made. */
  makeFolders(
    path: BytePath,
    owner: { readonly uid: number; readonly gid: number } = { uid: 0, gid: 0 },
  ): BytePath[] {
    const made: BytePath[] = [];
    for (const folder of [...parentsOf(path), path]) {
      if (this.inspect(folder) !== undefined) continue;
      const at = fsPath(this.locate(folder));
      mkdirSync(at);
      chmodSync(at, 0o755);
      chownSync(at, owner.uid, owner.gid);
      made.push(folder);
    }
    return made;
  }
}
