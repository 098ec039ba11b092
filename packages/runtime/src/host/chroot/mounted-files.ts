import { chmodSync, chownSync, copyFileSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BindMount, LayerFiles, SandboxMount } from '../../sandbox-spec.ts';
import { relayAgent } from '../agent-relay.ts';
import type { RootFolder } from '../root-folder.ts';
import { shownPart } from '../shown-part.ts';
import type { Home } from './placements.ts';
import type { RootTrees } from './root-trees.ts';

/** What stands where a mount would be. */
export interface MountedFiles extends BindMount {
  /** Where it is brought back to; undefined for what is dropped. */
  readonly home: Home | undefined;
}

type Mount = SandboxMount<readonly LayerFiles[]>;

/**
 * Makes what a sandbox is shown, as files that can be moved into its root. Nothing can be made read-only there: what a
 * step writes to a copy is lost with it.
 * @param stack ends what has to be ended with the sandbox
 */
export async function makeMountedFiles(
  trees: RootTrees,
  { folder, root }: { readonly folder: string; readonly root: RootFolder },
  mounts: readonly Mount[],
  stack: DisposableStack,
): Promise<MountedFiles[]> {
  const made: MountedFiles[] = [];
  for (const [index, mount] of mounts.entries()) {
    const place = join(folder, `mount-${index}`);
    const { target } = mount;
    const source = await sourceOf(trees, root, mount, place, stack);
    const isMoved = mount.kind === 'cache' && !mount.isReadOnly;
    const home = isMoved ? { path: source, away: mount.away } : undefined;
    made.push({ source, target, isReadOnly: false, home });
  }
  return made;
}

async function sourceOf(
  trees: RootTrees,
  root: RootFolder,
  mount: Mount,
  place: string,
  stack: DisposableStack,
): Promise<string> {
  switch (mount.kind) {
    case 'folder':
      copyFileSync(mount.source, place);
      chmodSync(place, lstatSync(mount.source).mode & 0o7777);
      return place;
    case 'cache':
      if (!mount.isReadOnly) return mount.source;
      await trees.copy(mount.source, place);
      return place;
    case 'tmpfs':
      mkdirSync(place);
      chmodSync(place, root.tmpfsMode(mount.target));
      return place;
    case 'secret':
      writeFileSync(place, mount.bytes, { flag: 'wx', mode: 0o600 });
      chownSync(place, mount.uid, mount.gid);
      chmodSync(place, mount.mode);
      return place;
    case 'agent':
      stack.use(await relayAgent(place, mount.socket, mount));
      return place;
    case 'layers':
      stack.defer(() => rmSync(place, { recursive: true, force: true }));
      return copiedLayers(trees, mount, place);
  }
}

async function copiedLayers(
  trees: RootTrees,
  { layers, path }: Extract<Mount, { kind: 'layers' }>,
  place: string,
): Promise<string> {
  await trees.make(place, layers);
  return shownPart(place, path);
}
