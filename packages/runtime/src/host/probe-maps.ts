import { lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, cleanPath, EPOCH, hostPath, LayerWriter, writeMap } from '@caisson/layer';
import { errorCode, unmount } from '@caisson/sys';
import { mountOverlay } from './overlay.ts';
import type { Workspace } from './workspace.ts';

const NAME = 'file';
const BYTES = Buffer.alloc(2000, 'the bytes of a file ');
const OWN_FOLDER = 'folder';

/**
 * Why layers cannot be mounted through maps in a store; undefined where they can. A small one is tried, as it will be
 * used: below an overlay that takes changes, beside a tree.
 * @param folder an empty folder of the store
 * Throws what is no answer: a full disk, for one.
 */
export function whyMapsCannotBeMounted(workspace: Workspace, folder: string): string | undefined {
  try {
    return tryOut(workspace, folder);
  } catch (error) {
    const why = WHY[errorCode(error) ?? ''];
    if (why === undefined) throw error;
    return why;
  }
}

const WHY: Readonly<Record<string, string>> = {
  EPERM: 'this process may not mount EROFS',
  ENODEV: 'this kernel has no EROFS',
  ENOTBLK:
    'files of this store cannot be mounted: a kernel from 6.12 on is needed, and a disk (not overlayfs, NFS or FUSE)',
  EINVAL: 'this kernel does not know maps of layers: 6.12 or later is needed',
};

function tryOut(workspace: Workspace, folder: string): string | undefined {
  const [tar, map, tree, upper] = ['tar', 'map', 'tree', 'upper'].map((name) => join(folder, name));
  if (tar === undefined || map === undefined || tree === undefined || upper === undefined)
    throw new Error('Internal error: unreachable');
  const path = cleanPath(bytesOf(NAME));
  const writer = new LayerWriter(hostPath(tar));
  writer.addFile(
    { type: 'file', path, mode: 0o640, uid: 1, gid: 2, mtime: EPOCH, size: BYTES.length },
    { kind: 'bytes', bytes: BYTES },
  );
  writeMap(writer.finish().toc, hostPath(map));
  mkdirSync(join(tree, OWN_FOLDER), { recursive: true });
  mkdirSync(upper);
  const merged = workspace.newSandbox().folder;
  mountOverlay(workspace, [tree, { map, tar }], upper, merged);
  try {
    const isSame = readFileSync(join(merged, NAME)).equals(BYTES);
    if (!isSame || lstatSync(join(merged, NAME)).uid !== 1)
      return 'this kernel shows other files than a layer has';
    // What lies on several file systems must look like one: tar --one-file-system would leave files out.
    const devices = new Set([NAME, OWN_FOLDER].map((name) => lstatSync(join(merged, name)).dev));
    return devices.size === 1 ? undefined : 'the files of this store have inode numbers that leave no room';
  } finally {
    unmount(merged, 'detach');
  }
}
