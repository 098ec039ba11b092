import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ChokidarOptions, FSWatcher } from 'chokidar';
import { errorCode } from '@caisson/sys';
import type { WatchedFiles } from './watched-files.ts';

/** How files are watched. */
export interface FileWatcherOptions {
  /** In seconds: how often files are looked at, where the kernel does not tell of changes. */
  readonly poll?: number | undefined;
  /** Told of paths where something may have changed. */
  readonly onChange: (path: string) => void;
  /** Told once when the kernel refuses to watch as much as there is; nothing more is told then. */
  readonly onLimit: (limit: WatchLimit) => void;
  readonly onError: (error: Error) => void;
}

/** A limit of the kernel that was reached. */
export interface WatchLimit {
  /** The sysctl that holds it: `fs.inotify.max_user_watches`. */
  readonly sysctl: string;
  /** What it is set to; undefined where it cannot be read. */
  readonly value: number | undefined;
}

/**
 * Watches files by chokidar, which watches the folders that they lie in. What it tells is where to look, and no more:
 * whether anything is different now is for the build to find out.
 */
export class FileWatcher implements AsyncDisposable {
  readonly #watcher: FSWatcher;
  #isWhole = true;

  private constructor(watcher: FSWatcher) {
    this.#watcher = watcher;
  }

  /** Begins to watch. What changes from the moment that it gives the watcher is told. */
  static async open(files: WatchedFiles, options: FileWatcherOptions): Promise<FileWatcher> {
    // Loaded here: builds do not need it.
    const { watch } = await import('chokidar');
    const watcher = watch([...files.roots], chokidarOptions(files, options.poll));
    const opened = new FileWatcher(watcher);
    const { onChange, onError, onLimit } = options;
    let isRefused = false;
    watcher.on('error', (error) => {
      const limit = limitOf(error);
      if (isDenied(error)) opened.#isWhole = false;
      else if (limit === undefined) onError(error instanceof Error ? error : new Error(String(error)));
      else if (!isRefused) {
        isRefused = true;
        onLimit(limit);
      }
    });
    watcher.on('all', (_event, path) => onChange(path));
    if (options.poll === undefined)
      watcher.on('raw', (_event, name, details) => tellRaw(files, name, details, onChange));
    await new Promise<void>((resolve) => {
      watcher.once('ready', resolve);
    });
    return opened;
  }

  /** Whether it watches all that it is to watch: not what lies in a folder that it may not read, even when it may again. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher.close();
  }
}

function chokidarOptions(files: WatchedFiles, poll: number | undefined): ChokidarOptions {
  return {
    ignored: (path, stats) =>
      stats === undefined
        ? !files.has(path, 'file') && !files.has(path, 'folder')
        : !files.has(path, stats.isDirectory() ? 'folder' : 'file'),
    ignoreInitial: true,
    followSymlinks: false, // a link is copied as a link
    atomic: false, // it would hold back what was removed, and overlook files named like those of editors
    ...(poll === undefined
      ? {}
      : { usePolling: true, pollingInterval: poll * 1000, pollingBinaryInterval: poll * 1000 }),
  };
}

/**
 * The kernel's own words. They come without delay, and for names that are no UTF-8, which chokidar does not find: then
 * the folder is told.
 */
function tellRaw(
  files: WatchedFiles,
  name: unknown,
  details: unknown,
  onChange: (path: string) => void,
): void {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return;
  const { watchedPath } = details;
  if (typeof watchedPath !== 'string') return;
  if (typeof name !== 'string' || name.includes('\uFFFD')) return onChange(watchedPath);
  const path = join(watchedPath, name);
  // A folder that goes away says so by its own name.
  if (name === basename(watchedPath) && !existsSync(path)) return onChange(watchedPath);
  if (files.has(path, 'file') || files.has(path, 'folder')) onChange(path);
}

/** The build says what cannot be read. */
function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errorCode(error) ?? '');
}

function limitOf(error: unknown): WatchLimit | undefined {
  // Other calls fail with the same codes where the disk is full or too many files are open.
  if (!(error instanceof Error && 'syscall' in error && error.syscall === 'watch')) return undefined;
  switch (errorCode(error)) {
    case 'ENOSPC':
      return lowest('fs.inotify.max_user_watches', 'user.max_inotify_watches');
    case 'EMFILE':
      return lowest('fs.inotify.max_user_instances', 'user.max_inotify_instances');
    default:
      return undefined;
  }
}

/** Two settings hold the same limit: the lower one counts. In a user namespace that is often the second. */
function lowest(first: string, second: string): WatchLimit {
  const [one, two] = [readLimit(first), readLimit(second)];
  return (two.value ?? Infinity) < (one.value ?? Infinity) ? two : one;
}

function readLimit(sysctl: string): WatchLimit {
  try {
    return { sysctl, value: Number(readFileSync(`/proc/sys/${sysctl.replaceAll('.', '/')}`, 'utf8')) };
  } catch {
    return { sysctl, value: undefined };
  }
}
