import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { inUserNamespace, mount, MOUNT, unmount } from '@caisson/sys';
import { CompiledFilter } from './compiled-filter.ts';
import { MappedLayers } from './mapped-layers.ts';
import { prepareNetworkFiles, type NetworkFiles } from './network-files.ts';
import { sealedProgram, type Program } from './sealed-program.ts';
import type { OciRuntimeName } from '../sandbox-spec.ts';

/**
 * Where the host makes its mounts: a tmpfs in its own mount namespace, so that nothing of it is seen outside and all
 * of it is gone with the process. The current folder is `names/`, in which every layer has a short name: the options
 * of a mount are limited to a page, and hold no path of the user's that way.
 */
export class Workspace {
  readonly folder: string;
  readonly networkFiles: NetworkFiles;
  readonly filter = new CompiledFilter();
  readonly mapped: MappedLayers;
  readonly #programs = new Map<string, Program>();
  readonly #names = new Map<string, string>();
  #sandboxes = 0;

  /** @param folder an empty folder; only this process sees what is mounted there */
  constructor(folder: string) {
    this.folder = folder;
    mount({
      source: 'caisson',
      target: folder,
      type: 'tmpfs',
      flags: MOUNT.noSuid | MOUNT.noDev,
      data: 'mode=700',
    });
    mount({
      source: 'proc',
      target: '/proc',
      type: 'proc',
      flags: MOUNT.noSuid | MOUNT.noDev | MOUNT.noExec,
    });
    hideHybridCgroups();
    for (const name of ['names', 'sandboxes', 'state', 'empty', 'uppers', 'maps'])
      mkdirSync(join(folder, name), { mode: 0o755 });
    this.mapped = new MappedLayers(join(folder, 'maps'), (path) => this.nameOf(path));
    this.networkFiles = prepareNetworkFiles(folder);
    process.chdir(join(folder, 'names'));
  }

  /** An empty folder. */
  get empty(): string {
    return join(this.folder, 'empty');
  }

  /** Where OCI runtimes keep what they know of running containers. */
  get runtimeState(): string {
    return join(this.folder, 'state');
  }

  /** An OCI runtime: each is looked for once. */
  program(name: OciRuntimeName): Program {
    const known = this.#programs.get(name) ?? sealedProgram(name);
    this.#programs.set(name, known);
    return known;
  }

  /** A new folder for one sandbox. */
  newSandbox(): { readonly id: string; readonly folder: string } {
    this.#sandboxes++;
    const id = `caisson-${process.pid}-${this.#sandboxes}`;
    const folder = join(this.folder, 'sandboxes', String(this.#sandboxes));
    mkdirSync(folder, { mode: 0o700 });
    return { id, folder };
  }

  /** A new folder for what a sandbox changes, in memory: for stores whose file system cannot hold it. */
  newUpperInMemory(): string {
    this.#sandboxes++;
    const folder = join(this.folder, 'uppers', String(this.#sandboxes));
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }

  /** The short name of a file or folder, relative to the current folder. */
  nameOf(path: string): string {
    const known = this.#names.get(path);
    if (known !== undefined) return known;
    const name = String(this.#names.size);
    symlinkSync(path, name);
    this.#names.set(path, name);
    return name;
  }
}

/** crun refuses a host that has cgroups of both versions; without the mount of version 2 it sees one. */
function hideHybridCgroups(): void {
  for (const { target, type } of mountsHere()) {
    if (type !== 'cgroup2' || !target.startsWith('/sys/fs/cgroup/')) continue;
    // What was mounted outside of a user namespace stays mounted in it: it can only be covered.
    if (inUserNamespace()) mount({ target, type: 'tmpfs', flags: MOUNT.readOnly, data: 'size=0k' });
    else unmount(target, 'detach');
  }
}

/** The mounts of this process. */
export function mountsHere(): {
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, target = '', type = '', options = ''] = line.split(' ');
      return { target, type, options: options.split(',') };
    });
}
