import { closeSync, existsSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '@caisson/sys';
import { treeUsage } from './disk-usage.ts';
import { tryLockFile } from './lock.ts';
import type { StorePaths } from './paths.ts';
import { removeTreeLater } from './remove-tree.ts';
import type { Session } from './session.ts';
import type { Sizes } from './sizes.ts';

/** How much the logs of earlier builds may take together, in bytes. */
const MOST_BYTES = 512 << 20;

/** What the steps of builds wrote, byte for byte: a folder each build, a file each step that wrote something. */
export class BuildLogs {
  readonly #paths: StorePaths;
  readonly #sizes: Sizes;

  constructor(paths: StorePaths, sizes: Sizes) {
    this.#paths = paths;
    this.#sizes = sizes;
  }

  /** The folder of a build's logs. */
  folder(build: string): string {
    return join(this.#paths.logs, build);
  }

  /** The file of a step's log; it is there if the step wrote something. */
  path(build: string, step: number): string {
    return join(this.folder(build), `${step}.log`);
  }

  /** Begins to write the logs of a session's build. */
  writer({ id }: Session): LogWriter {
    return new LogWriter((step) => this.path(id, step));
  }

  /** The builds that have logs. */
  async builds(): Promise<string[]> {
    try {
      return await readdir(this.#paths.logs);
    } catch (error) {
      // Nothing was written yet; or something else has the name, and nothing can be.
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return [];
      throw error;
    }
  }

  /** Whether a build is running. */
  isRunning(build: string): boolean {
    const lease = this.#paths.lease(build);
    if (!existsSync(lease)) return false;
    using lock = tryLockFile(lease, 'shared');
    return lock === undefined;
  }

  /** Notes what the logs of a build take, once nothing is added to them. */
  async measure(build: string): Promise<number> {
    const known = this.#sizes.measured(logsName(build));
    if (known !== undefined) return known;
    if (!existsSync(this.folder(build))) return 0;
    const bytes = await treeUsage(this.folder(build));
    if (!this.isRunning(build)) this.#sizes.set(logsName(build), bytes, 'measured');
    return bytes;
  }

  /** Drops the logs of all builds but some, and of those the ones beyond a bound. @param kept the newest first */
  async keepOnly(kept: readonly string[]): Promise<void> {
    const there = await this.builds();
    for (const build of there) if (!kept.includes(build)) await this.remove(build);
    let bytes = 0;
    for (const [index, build] of kept.filter((each) => there.includes(each)).entries()) {
      bytes += await this.measure(build);
      if (index > 0 && bytes > MOST_BYTES) await this.remove(build);
    }
  }

  /** Drops the logs of a build. @returns whether they are gone: those of a running one stay */
  async remove(build: string): Promise<boolean> {
    if (this.isRunning(build)) return false;
    await removeTreeLater(this.folder(build));
    this.#sizes.forget(logsName(build));
    return true;
  }
}

/** What the logs of a build are known by. */
export function logsName(build: string): string {
  return `logs ${build}`;
}

/**
 * Writes logs as output comes. The bytes go to the kernel at once: nothing is gathered in memory, nothing waits for a
 * disk, and what a build wrote that is killed is there.
 */
export class LogWriter implements Disposable {
  readonly #pathOf: (step: number) => string;
  readonly #open = new Map<number, number>();

  constructor(pathOf: (step: number) => string) {
    this.#pathOf = pathOf;
  }

  /** Adds to the log of a step. @throws what the file system says, for example that the disk is full */
  write(step: number, data: Uint8Array): void {
    const file = this.#open.get(step) ?? this.#begin(step);
    for (let at = 0; at < data.length;) at += writeSync(file, data, at);
  }

  #begin(step: number): number {
    const path = this.#pathOf(step);
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    const file = openSync(path, 'a', 0o600);
    this.#open.set(step, file);
    return file;
  }

  /** Nothing more comes of a step. */
  end(step: number): void {
    const file = this.#open.get(step);
    this.#open.delete(step);
    if (file !== undefined) closeSync(file);
  }

  [Symbol.dispose](): void {
    for (const step of this.#open.keys()) this.end(step);
  }
}
