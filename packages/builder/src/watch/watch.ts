import type { Digest } from '@caisson/oci';
import { UNBOUNDED } from '../api/event-bounds.ts';
import { EventQueue } from '../api/event-queue.ts';
import { contextSource, MAIN_CONTEXT } from '../context/context-source.ts';
import { buildError, type Failure } from '../failure.ts';
import { stagesOf } from '../plan/planned-stages.ts';
import { failuresOf } from '../failure-of.ts';
import type { PreparedBuild } from '../prepare.ts';
import type { BuildRequest } from '../request.ts';
import type { BuildResult } from '../result.ts';
import { Site } from '../site.ts';
import { MissingFolders } from './missing-folders.ts';
import { Announcer } from './announcer.ts';
import { changeOf, type Changes } from './changes.ts';

import { FileWatcher, type WatchLimit } from './file-watcher.ts';
import type { WatchEvent } from './watch-events.ts';
import { WatchedBuild } from './watched-build.ts';
import { WatchedFiles } from './watched-files.ts';
import { WatchLoop, type Clock } from './watch-loop.ts';

/** What to watch: all that a build is asked for, and this. */
export interface WatchRequest extends BuildRequest {
  /**
   * In seconds: how often files are looked at, where the kernel does not tell of their changes (network file systems).
   * It is asked to tell where this is not given.
   */
  readonly poll?: number;
}

/** Builds of what changes. Iterating tells what happens; whoever stops in the middle ends it. */
export interface Watch extends AsyncIterable<WatchEvent>, AsyncDisposable {
  /** Ends it. When that is done, nothing of it runs. */
  close(): Promise<void>;
}

/**
 * Builds, and builds again whenever something changes that the target's steps depend on, until it is closed or its
 * signal is aborted. A failed build waits for the next change; a context that is no folder ends the watch.
 */
export function watch(request: WatchRequest): Watch {
  return new Watching(request);
}

/** Where the kernel refuses to watch as much as there is, in seconds. */
const FALLBACK_POLL = 1;

class Watching implements Watch {
  readonly #request: BuildRequest;
  readonly #events = new EventQueue<WatchEvent>(UNBOUNDED, () => void this.close());
  readonly #over: Promise<void>;
  #poll: number | undefined;
  #loop: WatchLoop | undefined;
  #files: WatchedFiles;
  #watcher: FileWatcher | undefined;
  /** What the watcher that is open was opened for; undefined where another one must be opened. */
  #watched: string | undefined;
  #inodes = '';
  /** The image of the last build, if that was good. */
  #lastImage: Digest | undefined;
  /** The last image that was written to all outputs. */
  #delivered: Digest | undefined;
  #tidyTimer: Disposable | undefined;
  #tidying: Promise<void> | undefined;
  readonly #missing = new MissingFolders(CLOCK, () => this.#changeAll());
  #tidyFrom = 0;
  /** Aborted when it is closed. */
  readonly #closing = new AbortController();
  #isAnnounced = true;

  constructor({ poll, ...request }: WatchRequest) {
    const { signal } = request;
    this.#request = request;
    this.#poll = poll;
    this.#files = new WatchedFiles(request, []);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#over = this.#run().then(
      () => this.#events.end(),
      (error: unknown) => this.#events.fail(error),
    );
    if (signal?.aborted === true) this.#onAbort();
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchEvent> {
    return this.#events;
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#closing.abort();
      this.#loop?.close();
    }
    await this.#over;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  readonly #onAbort = (): void => void this.close();

  async #run(): Promise<void> {
    try {
      checkContext(this.#request);
      await using site = await Site.open(this.#request.root, this.#closing.signal);
      // Before the Dockerfile is read: an edit after that must not be lost.
      await this.#watch(this.#files);
      if (this.#isClosed) return;
      this.#loop = new WatchLoop({
        build: (changes) => this.#build(site, changes),
        onRest: () => this.#rest(site),
        clock: CLOCK,
      });
      try {
        await this.#loop.finished;
      } finally {
        this.#missing[Symbol.dispose]();
        this.#tidyTimer?.[Symbol.dispose]();
        await this.#tidying;
      }
    } catch (error) {
      const failures = failuresOf(error);
      if (failures === undefined) throw error;
      this.#tell({ kind: 'not-built', failures });
    } finally {
      this.#request.signal?.removeEventListener('abort', this.#onAbort);
      await this.#watcher?.[Symbol.asyncDispose]();
    }
  }

  #tell(event: WatchEvent): void {
    this.#events.put(event);
  }

  #build(site: Site, changes: Changes | undefined): WatchedBuild {
    const startedAt = changes?.since ?? CLOCK.now();
    this.#files.look();
    if (changes !== undefined) site.contexts.refresh(this.#files.namesOf(changes.paths));
    // The kernel may have told less than there was: of folders that came, for one.
    if (changes?.paths === 'everything' || this.#watcher?.isWhole === false) this.#watched = undefined;
    const announcer = new Announcer((event) => this.#tell(event), {
      beginning: changes === undefined ? [] : [{ kind: 'changed', paths: listed(changes.paths) }],
      lastImage: this.#lastImage,
    });
    return new WatchedBuild({
      request: this.#request,
      site,
      announcer,
      watch: (prepared) => this.#watchInputsOf(prepared),
      isDelivered: (imageId) => this.#isDelivered(imageId),
      isOvertaken: () => this.#loop?.isOvertaken === true,
      onBuilt: (result) => {
        site.superseded.built(result.manifest.digest);
        this.#onBuilt(result, startedAt, announcer);
      },
      onFailed: (failures) => this.#onFailed(failures, announcer),
      onOvertaken: ({ paths }, kept) => {
        if (announcer.isAnnounced) this.#tell({ kind: 'overtaken', paths: listed(paths), kept });
      },
      onSuperseded: () => {
        // Who was told of the beginning is told of the end.
        if (announcer.isAnnounced) this.#lastImage = undefined;
      },
    });
  }

  /** Asked before an image is delivered: another one takes the place of the last in outputs, whether it ends well or not. */
  #isDelivered(imageId: Digest): boolean {
    if (imageId !== this.#delivered) this.#delivered = undefined;
    return this.#delivered !== undefined;
  }

  #onBuilt(result: BuildResult, startedAt: number, announcer: Announcer): void {
    const isNew = result.imageId !== this.#delivered;
    this.#lastImage = result.imageId;
    this.#delivered = result.imageId;
    if (isNew) announcer.announce();
    if (!announcer.isAnnounced) return;
    this.#isAnnounced = true;
    this.#tell({ kind: 'built', result, isNew, duration: CLOCK.now() - startedAt });
  }

  #onFailed(failures: readonly Failure[], announcer: Announcer): void {
    this.#lastImage = undefined;
    announcer.announce();
    this.#isAnnounced = true;
    this.#tell({ kind: 'not-built', failures });
  }

  #rest(site: Site): void {
    this.#tidyLater(site);
    this.#missing.await(this.#files.missing);
    if (!this.#isAnnounced) return;
    this.#isAnnounced = false;
    this.#tell({ kind: 'waiting' });
  }

  /** Takes what is superseded out of the store, for a fifth of the time at most: in a large store that takes a while. */
  #tidyLater(site: Site): void {
    this.#tidyTimer?.[Symbol.dispose]();
    this.#tidyTimer = CLOCK.setTimer(
      () => {
        const before = this.#tidying;
        this.#tidying = this.#tidy(site, before);
        this.#tidying.catch(() => {}); // told when the watch is closed
      },
      Math.max(0, this.#tidyFrom - CLOCK.now()),
    );
  }

  async #tidy({ store, superseded }: Site, before: Promise<void> | undefined): Promise<void> {
    await before;
    if (this.#isClosed) return;
    const startedAt = CLOCK.now();
    try {
      await superseded.remove(store, this.#closing.signal);
      const now = CLOCK.now();
      this.#tidyFrom = now + 4 * (now - startedAt);
    } catch (error) {
      if (this.#isClosed) return;
      // It is cache, and prune takes it some day.
      const [failure] = failuresOf(error) ?? [];
      if (failure === undefined) throw error;
      this.#tell({ kind: 'warning', message: `cannot remove old layers: ${failure.message}` });
    }
  }

  #watchInputsOf({ target }: PreparedBuild): Promise<void> {
    const steps = stagesOf(target).flatMap((stage) => stage.steps);
    return this.#watch(new WatchedFiles(this.#request, steps, this.#files));
  }

  /** Watches other files, if they are others: the new ones are watched before the old ones no longer are. */
  async #watch(files: WatchedFiles): Promise<void> {
    this.#files = files;
    if (files.identity === this.#watched) return;
    const isReplaced = files.inodes !== this.#inodes;
    const before = this.#watcher;
    // Watchers of one path share what the kernel watches for them, which here is what is there no more.
    if (isReplaced) await before?.[Symbol.asyncDispose]();
    this.#watcher = await this.#open(files);
    this.#watched = files.identity;
    this.#inodes = files.inodes;
    if (!isReplaced) await before?.[Symbol.asyncDispose]();
    else if (before !== undefined && files.hasOtherFiles) this.#changeAll();
  }

  #changeAll(): void {
    this.#loop?.change({ paths: 'everything', since: CLOCK.now() });
  }

  async #open(files: WatchedFiles): Promise<FileWatcher> {
    let limit: WatchLimit | undefined;
    let isOpen = false;
    const watcher = await FileWatcher.open(files, {
      poll: this.#poll,
      onChange: (path) => {
        const loop = this.#loop;
        if (loop !== undefined && this.#files.hasChanged(path, loop.isBuilding))
          loop.change(changeOf(path, CLOCK.now()));
      },
      onLimit: (reached) => {
        limit = reached;
        if (isOpen) this.#pollFrom(reached);
      },
      onError: ({ message }) =>
        this.#tell({ kind: 'warning', message: `cannot watch all files: ${message}` }),
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
    this.#tell({ kind: 'watch-limit', limit, poll: this.#poll });
    this.#changeAll();
  }
}

const CLOCK: Clock = {
  now: () => performance.now(),
  setTimer: (callback, after) => {
    const timer = setTimeout(callback, after);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

function listed(paths: Changes['paths']): readonly string[] | undefined {
  return paths === 'everything' ? undefined : [...paths];
}

/** @throws BuildError `invalid-request` */
function checkContext({ context, cwd = process.cwd() }: BuildRequest): void {
  const expected = 'a folder';
  if (typeof context !== 'string')
    throw buildError('invalid-request', `${MAIN_CONTEXT} cannot be watched`, { expected });
  const source = contextSource(context, cwd, { what: MAIN_CONTEXT, allowsBareGitHub: true });
  if (source.kind === 'folder') return;
  throw buildError('invalid-request', `${MAIN_CONTEXT} cannot be watched: ${context}`, { expected });
}
