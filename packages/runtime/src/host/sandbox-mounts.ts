import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mount, MOUNT, UNMAPPED_HINT, unmappedText, unmount } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import type { BindMount, Lower, SandboxMount } from '../sandbox-spec.ts';
import { mountBefore, mountOverlay } from './overlay.ts';
import { relayAgent } from './agent-relay.ts';
import type { RootFolder } from './root-folder.ts';
import { shownPart } from './shown-part.ts';
import type { Workspace } from './workspace.ts';

/** What was made for the mounts of a sandbox. Disposing of it takes the mounts away. */
export interface MadeMounts extends Disposable {
  readonly binds: readonly BindMount[];
}

/**
 * Makes what a sandbox is shown: in the host's own mount namespace, so that every runtime binds the same. Secrets lie in
 * memory only.
 * @param root of the sandbox, mounted
 */
export async function makeMounts(
  workspace: Workspace,
  folder: string,
  root: RootFolder,
  mounts: readonly SandboxMount<readonly Lower[]>[],
): Promise<MadeMounts> {
  using stack = new DisposableStack();
  const binds: BindMount[] = [];
  for (const [index, each] of mounts.entries())
    binds.push(await bindOf(workspace, root, each, join(folder, `mount-${index}`), stack));
  const made = stack.move();
  return { binds, [Symbol.dispose]: () => made.dispose() };
}

async function bindOf(
  workspace: Workspace,
  root: RootFolder,
  each: SandboxMount<readonly Lower[]>,
  place: string,
  stack: DisposableStack,
): Promise<BindMount> {
  const { target } = each;
  switch (each.kind) {
    case 'folder':
    case 'cache':
      return { source: each.source, target, isReadOnly: each.isReadOnly };
    case 'tmpfs': {
      mkdirSync(place);
      const mode = `mode=${root.tmpfsMode(target).toString(8)}`;
      const data = each.size === undefined ? mode : `${mode},size=${each.size}`;
      mount({ source: 'tmpfs', target: place, type: 'tmpfs', flags: MOUNT.noSuid | MOUNT.noDev, data });
      stack.defer(() => unmount(place, 'detach'));
      return { source: place, target, isReadOnly: false };
    }
    case 'secret':
      checkOwner(each);
      writeFileSync(place, each.bytes, { flag: 'wx', mode: 0o600 });
      chownSync(place, each.uid, each.gid);
      chmodSync(place, each.mode);
      return { source: place, target, isReadOnly: true };
    case 'agent':
      checkOwner(each);
      stack.use(await relayAgent(place, each.socket, each));
      return { source: place, target, isReadOnly: false };
    case 'layers':
      return { source: layersSource(workspace, each, place, stack), target, isReadOnly: each.isReadOnly };
  }
}

/** @throws RuntimeError where the user namespace of the host lacks who the mount is for */
function checkOwner({ target, uid, gid }: Extract<SandboxMount, { kind: 'secret' | 'agent' }>): void {
  const unmapped = unmappedText(`the mount ${target} is for`, { uid, gid });
  if (unmapped !== undefined) throw new RuntimeError('no-such-user', unmapped, { hint: UNMAPPED_HINT });
}

/** What is written to a stack of layers that is shown is dropped: it lies in memory. */
function layersSource(
  workspace: Workspace,
  { layers, path, isReadOnly }: Extract<SandboxMount<readonly Lower[]>, { kind: 'layers' }>,
  place: string,
  stack: DisposableStack,
): string {
  let root = place;
  if (isReadOnly) {
    const before = stack.use(mountBefore(workspace, layers, place));
    root = before.path ?? place;
    if (before.path === undefined) mkdirSync(place);
  } else {
    mkdirSync(place);
    const written = workspace.newUpperInMemory();
    stack.defer(() => rmSync(written, { recursive: true, force: true }));
    mountOverlay(workspace, layers, written, place);
    stack.defer(() => unmount(place, 'detach'));
  }
  return shownPart(root, path);
}
