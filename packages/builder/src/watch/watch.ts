import type { Digest } from '@caisson/oci';
import { UNBOUNDED } from '../api/event-bounds.ts';
import { EventQueue } from '../api/event-queue.ts';
import { contextSource, MAIN_CONTEXT } from '../context/context-source.ts';
import { buildError, type Failure } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import type { PreparedBuild } from '../prepare.ts';
import type { BuildRequest } from '../request.ts';
import type { BuildResult } from '../result.ts';
import { optionWords } from '../option-words.ts';
import { allPlatformsOf } from '../platforms.ts';
import { Site } from '../site.ts';
import { MissingFolders } from './missing-folders.ts';
import { Announcer } from './announcer.ts';
import { changeOf, type Changes } from './changes.ts';
import { CLOCK } from './clock.ts';
import { CurrentWatcher } from './current-watcher.ts';
import { StoreTidier } from './store-tidier.ts';
import type { WatchEvent } from './watch-events.ts';
import { WatchedBuild } from './watched-build.ts';
import { WatchedFiles } from './watched-files.ts';
import { WatchLoop } from './watch-loop.ts';
import { ToldChanges } from './told-changes.ts';

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

class Watching implements Watch {
  readonly #request: BuildRequest;
  readonly #events = new EventQueue<WatchEvent>(UNBOUNDED, () => void this.close());
  readonly #over: Promise<void>;
  #loop: WatchLoop | undefined;
  #files: WatchedFiles;
  readonly #watcher: CurrentWatcher;
  readonly #tidier: StoreTidier;
  /** The image of the last build, if that was good. */
  #lastImage: Digest | undefined;
  /** The last image that was written to all outputs. */
  #delivered: Digest | undefined;
  readonly #missing = new MissingFolders(CLOCK, () => this.#changeAll());
  /** Aborted when it is closed. */
  readonly #closing = new AbortController();
  readonly #told = new ToldChanges();
  #isAnnounced = true;

  constructor({ poll, ...request }: WatchRequest) {
    const { signal } = request;
    this.#request = request;
    this.#files = new WatchedFiles(request, []);
    const onWarning = (message: string): void => this.#tell({ kind: 'warning', message });
    this.#tidier = new StoreTidier({ signal: this.#closing.signal, onWarning });
    this.#watcher = new CurrentWatcher({
      poll,
      onChange: (path) => this.#onChange(path),
      onChangeAll: () => this.#changeAll(),
      onLimit: (limit, every) => this.#tell({ kind: 'watch-limit', limit, poll: every }),
      onWarning,
    });
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
      checkWatchable(this.#request);
      await using site = await Site.open(this.#request.root, this.#request, this.#closing.signal);
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
        await this.#tidier[Symbol.asyncDispose]();
      }
    } catch (error) {
      const failures = failuresOf(error);
      if (failures === undefined) throw error;
      this.#tell({ kind: 'not-built', failures });
    } finally {
      this.#request.signal?.removeEventListener('abort', this.#onAbort);
      await this.#watcher[Symbol.asyncDispose]();
    }
  }

  #tell(event: WatchEvent): void {
    this.#events.put(event);
  }

  #build(site: Site, changes: Changes | undefined): WatchedBuild {
    const startedAt = changes?.since ?? CLOCK.now();
    this.#told.clear();
    this.#files.look();
    if (changes !== undefined) site.contexts.refresh(this.#files.namesOf(changes.paths));
    this.#watcher.doubt(changes?.paths === 'everything');
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
    this.#tidier.rest(site);
    this.#missing.await(this.#files.missing);
    if (!this.#isAnnounced) return;
    this.#isAnnounced = false;
    this.#tell({ kind: 'waiting' });
  }

  #watchInputsOf({ steps }: PreparedBuild): Promise<void> {
    return this.#watch(new WatchedFiles(this.#request, [...steps.keys()], this.#files));
  }

  #watch(files: WatchedFiles): Promise<void> {
    this.#files = files;
    return this.#watcher.watch(files);
  }

  #onChange(path: string): void {
    const loop = this.#loop;
    if (loop !== undefined && this.#files.hasChanged(path, loop.isBuilding) && this.#told.isNews(path))
      loop.change(changeOf(path, CLOCK.now()));
  }

  #changeAll(): void {
    this.#loop?.change({ paths: 'everything', since: CLOCK.now() });
  }
}

function listed(paths: Changes['paths']): readonly string[] | undefined {
  return paths === 'everything' ? undefined : [...paths];
}

/** @throws BuildError `invalid-request` */
function checkWatchable({ context, platforms, cwd = process.cwd() }: BuildRequest): void {
  if (allPlatformsOf(platforms).length > 1)
    throw buildError('invalid-request', 'a watch builds for one platform', {
      expected: optionWords().platform,
    });
  const expected = 'a folder';
  if (typeof context !== 'string')
    throw buildError('invalid-request', `${MAIN_CONTEXT} cannot be watched`, { expected });
  const source = contextSource(context, cwd, { what: MAIN_CONTEXT, allowsBareGitHub: true });
  if (source.kind === 'folder') return;
  throw buildError('invalid-request', `${MAIN_CONTEXT} cannot be watched: ${context}`, { expected });
}
