import { lstatSync } from 'node:fs';
import { fileStat, type FileStat } from '../context/stat-cache.ts';

/**
 * What was told of since the last build began. One edit may be told of twice, some time apart: by the folder that a file is in and by
 * the file that was replaced.
 */
export class ToldChanges {
  readonly #looks = new Map<string, FileStat | 'gone'>();

  /** Whether what is at a path is other than when it was told of last. Of folders it is always: it speaks of what is in them. */
  isNews(path: string): boolean {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats?.isDirectory() === true) return true;
    const look = stats === undefined ? 'gone' : fileStat(stats);
    if (this.#looks.get(path) === look) return false;
    this.#looks.set(path, look);
    return true;
  }

  /** A build begins, and looks at everything itself. */
  clear(): void {
    this.#looks.clear();
  }
}
