import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mount, MOUNT, unmount } from '@caisson/sys';
import { applyLayer, type Applied } from '../../apply.ts';
import { hostPath } from '../../byte-path.ts';
import { Toc } from '../../toc.ts';
import { ChainView } from '../../view.ts';
import { writeMap } from '../write-map.ts';
import { listing } from './listing.ts';

/** Both forms of a layer, side by side. Disposing of it takes away all of it. */
export interface Forms extends Disposable {
  readonly folder: string;
  readonly applied: Applied;
  /** Where the map is written. */
  readonly map: string;
  /** Where it is mounted. */
  readonly mounted: string;
  /** Where the layer is unpacked. */
  readonly tree: string;
}

/** Makes both forms of a layer. @param parent an empty folder on a disk */
export async function makeForms(parent: string, tar: string, below: readonly Toc[] = []): Promise<Forms> {
  const folder = mkdtempSync(join(parent, 'forms-'));
  const [map, mounted, tree] = ['map', 'mounted', 'tree'].map((name) => join(folder, name));
  if (map === undefined || mounted === undefined || tree === undefined) throw new Error('unreachable');
  mkdirSync(mounted);
  mkdirSync(tree, { mode: 0o755 });
  const applied = await applyLayer({
    source: createReadStream(tar),
    below: new ChainView(below),
    tree: hostPath(tree),
    contentBelow: () => ({ path: hostPath('/') }),
  });
  writeMap(applied.toc, hostPath(map));
  mountMap(map, tar, mounted);
  return {
    folder,
    applied,
    map,
    mounted,
    tree,
    [Symbol.dispose]: () => {
      unmount(mounted);
      rmSync(folder, { recursive: true });
    },
  };
}

/** Mounts a layer through its map. */
export function mountMap(map: string, tar: string, target: string): void {
  const flags = MOUNT.readOnly | MOUNT.noDev | MOUNT.noSuid;
  mount({ source: map, target, type: 'erofs', flags, data: `device=${tar}` });
}

const FSCK = 'fsck.erofs';

/** Why fsck.erofs cannot look at maps here; undefined where it can. Version 1.5, of Debian 12, knows no blocks of 512 bytes. */
export function cannotCheck(): string | undefined {
  try {
    const said = execFileSync(FSCK, ['-V'], { encoding: 'utf8', stdio: 'pipe' });
    const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(said) ?? []).slice(1).map(Number);
    return major > 1 || minor >= 7 ? undefined : 'needs fsck.erofs of erofs-utils 1.7 or later';
  } catch {
    return 'needs fsck.erofs (erofs-utils)';
  }
}

/** What fsck.erofs finds wrong with a map; nothing where it is as it should be. */
export function fsck(map: string, tar: string): string {
  try {
    execFileSync(FSCK, [`--device=${tar}`, map], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    return String(error);
  }
}

/** A listing without the root, which a tree has from whoever made it where its layer says nothing of it. */
export function contents(root: string): string[] {
  return listing(hostPath(root)).slice(1);
}

/** Why this machine cannot mount a map; undefined where it can. */
export function cannotMount(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const [major = 0, minor = 0] = readFileSync('/proc/sys/kernel/osrelease', 'utf8')
    .split('.')
    .map(Number.parseFloat);
  if (major < 6 || (major === 6 && minor < 12)) return 'needs a kernel of 6.12 or later';
  if (!readFileSync('/proc/filesystems', 'utf8').includes('erofs')) return 'needs a kernel with EROFS';
  return isOnDisk() ? undefined : 'needs a checkout on a disk: what is in memory or on an overlay is no map';
}

/** A new folder for maps: in the checkout, since /tmp may be in memory. */
export function newMapFolder(): string {
  const parent = fileURLToPath(new URL('../../../../../.caisson/unit', import.meta.url));
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'map-'));
}

function isOnDisk(): boolean {
  const folder = newMapFolder();
  try {
    const [map, tar, target] = ['map', 'tar', 'target'].map((name) => join(folder, name));
    if (map === undefined || tar === undefined || target === undefined) return false;
    mkdirSync(target);
    writeMap(new Toc([]), hostPath(map));
    writeFileSync(tar, Buffer.alloc(1024));
    mountMap(map, tar, target);
    unmount(target);
    return true;
  } catch (error) {
    // ENOTBLK, for which Node has no name.
    if (error instanceof Error && error.message.includes('-15')) return false;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
