import { chmodSync, chownSync, copyFileSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fsPath } from '@caisson/layer';
import { RuntimeError } from '../../errors.ts';
import type { BindMount, LayerFiles, SandboxMount } from '../../sandbox-spec.ts';
import { relayAgent } from '../agent-relay.ts';
import { RootFolder } from '../root-folder.ts';
import type { RootTrees } from './root-trees.ts';

/** What stands where a mount would be. */
export interface MountedFiles extends BindMount {
  /** What is to be done with it afterwards. */
  readonly end: 'drop' | 'bring back';
}

type Mount = SandboxMount<readonly LayerFiles[]>;

/**
 * Makes what a sandbox is shown, as files that can be moved into its root. Nothing can be made read-only there: what a
 * step writes to a copy is lost with it.
 * @param stack ends what has to be ended with the sandbox
 */
export async function makeMountedFiles(
  trees: RootTrees,
  folder: string,
  mounts: readonly Mount[],
  stack: DisposableStack,
): Promise<MountedFiles[]> {
  const made: MountedFiles[] = [];
  for (const [index, mount] of mounts.entries()) {
    const place = join(folder, `mount-${index}`);
    const { target } = mount;
    const isMoved = mount.kind === 'cache' && !mount.isReadOnly;
    const source = await sourceOf(trees, mount, place, stack);
    made.push({ source, target, isReadOnly: false, end: isMoved ? 'bring back' : 'drop' });
  }
  return made;
}

async function sourceOf(
  trees: RootTrees,
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
      chmodSync(place, 0o1777);
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
  const shown = new RootFolder(place);
  const { path: at, kind } = shown.follow(path);
  if (kind === undefined) throw new RuntimeError('unsafe-path', `there is no ${path} to be mounted`);
  const source = fsPath(shown.locate(at));
  if (typeof source !== 'string' || (!lstatSync(source).isDirectory() && !lstatSync(source).isFile()))
    throw new RuntimeError('unsafe-path', `${path} is neither a file nor a folder that can be mounted`);
  return source;
}
