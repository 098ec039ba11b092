import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { STEP_CAPABILITIES } from '../../profile.ts';
import { RuntimeError } from '../../errors.ts';
import type { SandboxResult } from '../../sandbox-spec.ts';
import { heldCapabilities, inUserNamespace, type Capability } from '@caisson/sys';
import type { Host } from '../host.ts';
import { prepareNetworkFiles, type NetworkFiles } from '../network-files.ts';
import type { OutputSink } from '../output.ts';
import type { Running } from '../running.ts';
import { guardsDevices } from './guards-devices.ts';
import { RootTrees } from './root-trees.ts';
import { runInCopy } from './sandbox.ts';

/** What it takes to make roots, to change to one, and to end what runs there. */
const NEEDED: readonly Capability[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'KILL',
  'MKNOD',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

/**
 * The host of last resort: it needs no namespaces and mounts nothing. The root of a sandbox is a folder with a copy of
 * all files, and what runs there is kept in by chroot(2) alone.
 */
export class CopyingHost implements Host {
  readonly networkFiles: NetworkFiles;
  readonly trees: RootTrees;
  /** What root may do in a sandbox. */
  readonly capabilities: readonly Capability[];
  readonly #folder: string;
  readonly #runs = new Set<Promise<unknown>>();
  #sandboxes = 0;

  /** @param folder an empty folder of the store's. @throws RuntimeError `unsupported` */
  constructor(folder: string) {
    const held = heldCapabilities();
    const missing = NEEDED.filter((name) => !held.has(name));
    if (missing.length > 0) {
      const names = missing.map((name) => `CAP_${name}`).join(', ');
      throw new RuntimeError(
        'unsupported',
        `isolation chroot needs ${names}, which this process does not have`,
        {
          hint: 'root of a container has these by default; they may have been dropped',
        },
      );
    }
    if (inUserNamespace()) {
      const message = 'isolation chroot needs devices, and root of a user namespace can make none';
      throw new RuntimeError('unsupported', message, { hint: 'isolation namespaces works there' });
    }
    this.#folder = realpathSync(folder); // the kernel tells it so of the processes in it
    this.networkFiles = prepareNetworkFiles(this.#folder);
    const isGuarded = guardsDevices(join(this.#folder, 'device'));
    this.trees = new RootTrees(isGuarded);
    this.capabilities = STEP_CAPABILITIES.filter(
      (name) => held.has(name) && name !== 'SYS_CHROOT' && (name !== 'MKNOD' || isGuarded),
    );
  }

  async run(message: Parameters<Host['run']>[0], running: Running, sink: OutputSink): Promise<SandboxResult> {
    if (message.kind !== 'run-copied') throw new Error('Internal error: this host cannot mount anything');
    const run = runInCopy(this, message.request, running, sink);
    this.#runs.add(run);
    try {
      return await run;
    } finally {
      this.#runs.delete(run);
    }
  }

  /** A new folder for one sandbox. */
  newSandbox(): { readonly id: string; readonly folder: string } {
    this.#sandboxes++;
    const id = String(this.#sandboxes);
    const folder = join(this.#folder, `sandbox-${id}`);
    mkdirSync(folder, { mode: 0o700 });
    return { id, folder };
  }

  warmUp(): void {} // the thread that copies makes layers, too

  whyMapsCannotBeMounted(): never {
    throw new RuntimeError('unsupported', 'nothing can be mounted here');
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.#runs);
  }
}
