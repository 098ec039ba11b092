import { lstatSync } from 'node:fs';
import { join, posix } from 'node:path';
import { canonicalJson } from '@caisson/oci';
import type { CacheMountName, OpenCacheMount, Session, Store } from '@caisson/store';
import { buildError } from '../failure.ts';
import type { PlannedMount } from '../plan/planned.ts';
import type { Chains } from '../snapshot/chains.ts';
import { stateDigest, type FileState } from '../state.ts';
import { COPIED_MOUNT } from './copied-mount.ts';
import { Once } from '../once.ts';

/** The strictest first. */
const SHARING = ['locked', 'private', 'shared'] as const;

type CacheMount = Extract<PlannedMount, { kind: 'cache' }>;

/** How a step uses its caches. */
interface CacheUse {
  readonly held: DisposableStack;
  /** Whether it is run without the cache of steps: then those begin anew, too. */
  readonly beginsAnew: boolean;
  /** Whether nobody else can use them meanwhile. */
  readonly isMoved: boolean;
}

/** The caches that the RUN steps of a build use. With `--no-cache` each begins anew, once a build, as with docker. */
export class BuildCaches {
  readonly #store: Store;
  readonly #session: Session;
  readonly #chains: Chains;
  readonly #discarded = new Once<string, Promise<void>>();

  constructor(store: Store, session: Session, chains: Chains) {
    this.#store = store;
    this.#session = session;
    this.#chains = chains;
  }

  /**
   * Opens the caches of a step, for as long as what holds them is not disposed of. Each is opened once, however many
   * mounts show it, and all in one order: steps that wait for one another's caches must not wait in a circle.
   * @param stateOf the files that a new one begins with; one that begins with others is another cache
   */
  async open(
    mounts: readonly PlannedMount[],
    stateOf: ReadonlyMap<PlannedMount, FileState>,
    { held, beginsAnew, isMoved }: CacheUse,
  ): Promise<ReadonlyMap<PlannedMount, OpenCacheMount>> {
    const caches = Map.groupBy(
      mounts.filter((mount) => mount.kind === 'cache'),
      (mount) => canonicalJson({ ...nameOf(mount, stateOf.get(mount)) }),
    );
    const opened = new Map<PlannedMount, OpenCacheMount>();
    for (const [, same] of [...caches].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const [first] = same;
      if (first === undefined) continue;
      const asked = SHARING.find((each) => same.some(({ sharing }) => sharing === each)) ?? 'shared';
      const strictest = isMoved && asked === 'shared' ? 'locked' : asked;
      const files = stateOf.get(first);
      if (beginsAnew) await this.#discard(nameOf(first, files));
      const cache = held.use(await this.#open({ ...first, sharing: strictest }, files));
      for (const mount of same) opened.set(mount, cache);
    }
    return opened;
  }

  async #open(mount: CacheMount, files: FileState | undefined): Promise<OpenCacheMount> {
    const { cacheMounts, lookUps } = this.#store;
    const { sharing } = mount;
    const name = nameOf(mount, files);
    const cache = await cacheMounts.open(name, sharing, this.#session, (folder) =>
      this.#fill(folder, mount, files),
    );
    lookUps.used([cache.useName]);
    return cache;
  }

  #discard(name: CacheMountName): Promise<void> {
    const key = canonicalJson({ ...name });
    return this.#discarded.get(key, () => this.#store.cacheMounts.discard(this.#session, name));
  }

  async #fill(folder: string, { seed }: CacheMount, files: FileState | undefined): Promise<void> {
    if (seed === undefined || files === undefined) return;
    const { text, place } = seed.source;
    const path = posix.join(COPIED_MOUNT, posix.resolve('/', text));
    const trees = await this.#chains.trees(files);
    const sources = trees.map((tree) => folderIn(tree, path)).filter((from) => from !== undefined);
    if (sources.length === 0) {
      const message = `${text} is no folder, and a cache can begin with a folder only`;
      throw buildError('missing-source', message, { place });
    }
    // Node's own copy keeps neither owners nor hard links.
    const { execa } = await import('execa');
    // What lies higher takes the place of what lies lower: no two links of one file may be written through.
    for (const from of sources)
      await execa('cp', ['-a', '--reflink=auto', '--remove-destination', '--', `${from}/.`, folder]);
  }
}

function nameOf({ id, mode, uid, gid }: CacheMount, files: FileState | undefined): CacheMountName {
  return files === undefined ? { id, mode, uid, gid } : { id, seed: stateDigest(files) };
}

/** A folder of a tree; no link on the way to it is followed, since it would lead to the host's files. */
function folderIn(tree: string, path: string): string | undefined {
  let at = tree;
  for (const name of path.split('/').filter((each) => each !== '')) {
    at = join(at, name);
    if (lstatSync(at, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  }
  return at;
}
