import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EPOCH } from '@caisson/layer';
import { errorCode, inUserNamespace, mount, MOUNT, setTimes, unmount } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import type { Lower } from '../sandbox-spec.ts';
import type { Workspace } from './workspace.ts';

/** What a sandbox runs on: the layers below, and a folder that takes what it changes. */
export interface Overlay {
  /** Where it is mounted. */
  readonly merged: string;
  /** What the sandbox changes. */
  readonly upper: string;
  /** Whether `upper` lies on the store's file system. */
  readonly isInStore: boolean;
  /** Removes what was changed, where it lies in memory and nowhere else. */
  readonly forget: () => void;
}

// What a layer brings of overlayfs's own attributes must mean nothing: no redirects are followed, none are made, and
// no file is taken for the content of another. No device in it can be opened.
// Layers may lie on several file systems: `xino` gives all files one device number all the same, without which
// `tar --one-file-system` would leave some out.
// In a user namespace, marks are attributes that its root may set; before 5.11 the kernel mounts no overlay there.
const OPTIONS = `redirect_dir=nofollow,metacopy=off,index=off,xino=on${inUserNamespace() ? ',userxattr' : ''}`;

/**
 * Mounts a stack of layers with a folder to write to.
 * @param layers lowest first
 * @param folder an empty folder of the store, for what is written
 */
export function mountOverlay(
  workspace: Workspace,
  layers: readonly Lower[],
  folder: string,
  merged: string,
): Overlay {
  const lowers = layers.map((layer) => workspace.mapped.folderOf(layer));
  const attempts = [
    { place: folder, isInStore: true },
    { place: undefined, isInStore: false },
  ];
  for (const { place, isInStore } of attempts) {
    const at = place ?? workspace.newUpperInMemory();
    const upper = join(at, 'upper');
    const work = join(at, 'work');
    mkdirSync(upper);
    mkdirSync(work, { mode: 0o700 });
    resetRoot(upper);
    const forget = (): void => {
      if (!isInStore) rmSync(at, { recursive: true, force: true });
    };
    if (tryMount(workspace, lowers, upper, work, merged)) return { merged, upper, isInStore, forget };
  }
  throw new RuntimeError('unsupported', 'this kernel cannot mount an overlay here', {
    hint: 'caisson doctor says what is missing',
  });
}

/** The root folder of an overlay has the attributes of its topmost folder; of them no layer says anything. */
export function resetRoot(upper: string): void {
  chownSync(upper, 0, 0);
  chmodSync(upper, 0o755);
  setTimes(upper, EPOCH);
}

function tryMount(
  workspace: Workspace,
  lowers: readonly string[],
  upper: string,
  work: string,
  merged: string,
): boolean {
  const lower = lowerOption(workspace, lowers);
  const where = `lowerdir=${lower},upperdir=${workspace.nameOf(upper)},workdir=${workspace.nameOf(work)},${OPTIONS}`;
  // `volatile`: unmounting writes nothing to the disk; the store has one barrier of its own. Kernels before 5.10 lack it.
  for (const data of [`${where},volatile`, where]) {
    try {
      mount({ source: 'overlay', target: merged, type: 'overlay', flags: MOUNT.noDev, data });
      return true;
    } catch (error) {
      if (errorCode(error) !== 'EINVAL') throw error;
    }
  }
  return false;
}

function lowerOption(workspace: Workspace, lowers: readonly string[]): string {
  const paths = lowers.length === 0 ? [workspace.empty] : lowers;
  // A layer may be there twice (a step that changed nothing, for one), which overlayfs refuses (ELOOP). The upper one
  // says all that the lower one does.
  const names = new Set(paths.toReversed().map((path) => workspace.nameOf(path)));
  return [...names].join(':');
}

/** The state before the sandbox ran: its layers, mounted read-only. */
export interface BeforeMount extends Disposable {
  /** Undefined where there are no layers. */
  readonly path: string | undefined;
}

/** Mounts a stack of layers alone, to compare with. */
export function mountBefore(workspace: Workspace, layers: readonly Lower[], target: string): BeforeMount {
  const lowers = layers.map((layer) => workspace.mapped.folderOf(layer));
  const [first, ...others] = lowers;
  if (first === undefined || others.length === 0) return { path: first, [Symbol.dispose]: () => {} };
  mkdirSync(target, { mode: 0o700 });
  const data = `lowerdir=${lowerOption(workspace, lowers)},${OPTIONS}`;
  mount({ source: 'overlay', target, type: 'overlay', flags: MOUNT.noDev | MOUNT.readOnly, data });
  return { path: target, [Symbol.dispose]: () => unmount(target, 'detach') };
}
