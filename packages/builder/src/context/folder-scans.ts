import { createHash } from 'node:crypto';
import { baseName, fsPath, inFolder, parentOf, ROOT, type BytePath, type HostPath } from '@caisson/layer';
import { errorCode, scanFolder, type FileStats, type FolderScan } from '@caisson/sys';
import { COARSE_TICK_MS, TICK_MS } from './stat-cache.ts';

/** A folder as it was looked at. */
interface Scanned {
  readonly scan: FolderScan;
  /** In milliseconds since 1970. */
  readonly at: number;
  /** Which of its names is where. */
  indices: ReadonlyMap<string, number> | undefined;
}

/**
 * The folders of a context that were looked at as a whole: one call a folder and one a file, and no object for a file before
 * something asks for it. A folder that cannot be looked at is none here: who looks at its files one by one learns why.
 */
export class FolderScans {
  readonly #root: HostPath;
  readonly #scanned = new Map<BytePath, Scanned | undefined>();
  /** The folders in which something was looked at by itself: it may have looked otherwise then. */
  readonly #touched = new Set<BytePath>();

  constructor(root: HostPath) {
    this.#root = root;
  }

  /** All that is in a folder. It is looked at once. A context that is a link is the folder behind it; no other link is followed. */
  scan(folder: BytePath): FolderScan | undefined {
    if (!this.#scanned.has(folder))
      this.#scanned.set(folder, scanned(inFolder(this.#root, folder === ROOT ? '.' : folder)));
    return this.#scanned.get(folder)?.scan;
  }

  /** The stat of something in a folder that was looked at; `unseen` for what is in another one. */
  stat(path: BytePath): FileStats | undefined | 'unseen' {
    if (path === ROOT) return 'unseen';
    const known = this.#scanned.get(parentOf(path));
    if (known === undefined) {
      this.#touched.add(parentOf(path));
      return 'unseen';
    }
    known.indices ??= new Map(known.scan.list().map((name, index) => [name, index]));
    const index = known.indices.get(baseName(path));
    return index === undefined ? undefined : known.scan.at(index);
  }

  /** Whether something in a folder was looked at before all of it was. */
  isTouched(folder: BytePath): boolean {
    return this.#touched.has(folder);
  }

  /** The same for a folder in which everything looks the same. */
  stamp(folder: BytePath): string | undefined {
    const scan = this.scan(folder);
    return scan && createHash('sha256').update(scan.names).update(scan.stats).digest('base64');
  }

  /** Whether nothing in a folder changed so shortly before it was looked at that it may change again and look the same. */
  isAtRest(folder: BytePath): boolean {
    const known = this.#scanned.get(folder);
    return known !== undefined && known.scan.isOlderThan(known.at - TICK_MS, known.at - COARSE_TICK_MS);
  }

  /** Forgets what was seen of a folder. */
  forget(folder: BytePath): void {
    this.#scanned.delete(folder);
  }
}

function scanned(path: HostPath): Scanned | undefined {
  const at = Date.now();
  try {
    return { scan: scanFolder(fsPath(path)), at, indices: undefined };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
