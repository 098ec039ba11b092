import { FileWatcher, type WatchLimit } from './file-watcher.ts';
import type { WatchedFiles } from './watched-files.ts';

/** Where the kernel refuses to watch as much as there is, in seconds. */
const FALLBACK_POLL = 1;

/** What a {@link CurrentWatcher} is told, and tells. */
interface CurrentWatcherParts {
  /** In seconds; undefined to ask the kernel. */
  readonly poll: number | undefined;
  readonly onChange: (path: string) => void;
  /** Anything may have changed without being told. */
  readonly onChangeAll: () => void;
  /** The kernel's limit is reached: files are looked at from now on. @param poll how often, in seconds */
  readonly onLimit: (limit: WatchLimit, poll: number) => void;
  readonly onWarning: (message: string) => void;
}

/** Watches files, and others when they are others. */
export class CurrentWatcher implements AsyncDisposable {
  readonly #parts: CurrentWatcherParts;
  #poll: number | undefined;
  #watcher: FileWatcher | undefined;
  /** What the watcher that is open was opened for; undefined where another one must be opened. */
  #watched: string | undefined;
  #inodes = '';

  constructor(parts: CurrentWatcherParts) {
    this.#parts = parts;
    this.#poll = parts.poll;
  }

  /** Something was told, or everything may have changed: whether all is still watched must be looked at again. */
  doubt(everything: boolean): void {
    // The kernel may have told less than there was: of folders that came, for one.
    if (everything || this.#watcher?.isWhole === false) this.#watched = undefined;
  }

  /** Watches these: from before the old ones no longer are. */
  async watch(files: WatchedFiles): Promise<void> {
    if (files.identity === this.#watched) return;
    const isReplaced = files.inodes !== this.#inodes;
    const before = this.#watcher;
    // Watchers of one path share what the kernel watches for them, which here is what is there no more.
    if (isReplaced) await before?.[Symbol.asyncDispose]();
    this.#watcher = await this.#open(files);
    this.#watched = files.identity;
    this.#inodes = files.inodes;
    if (!isReplaced) await before?.[Symbol.asyncDispose]();
    else if (before !== undefined && files.hasOtherFiles) this.#parts.onChangeAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher?.[Symbol.asyncDispose]();
  }

  async #open(files: WatchedFiles): Promise<FileWatcher> {
    let limit: WatchLimit | undefined;
    let isOpen = false;
    const watcher = await FileWatcher.open(files, {
      poll: this.#poll,
      onChange: this.#parts.onChange,
      onLimit: (reached) => {
        limit = reached;
        if (isOpen) this.#pollFrom(reached);
      },
      onError: ({ message }) => this.#parts.onWarning(`cannot watch all files: ${message}`),
    });
    isOpen = true;
    if (limit === undefined || this.#poll !== undefined) return watcher;
    await watcher[Symbol.asyncDispose]();
    this.#pollFrom(limit);
    return this.#open(files);
  }

  #pollFrom(limit: WatchLimit): void {
    if (this.#poll !== undefined) return;
    this.#poll = FALLBACK_POLL;
    this.#parts.onLimit(limit, this.#poll);
    this.#parts.onChangeAll();
  }
}
