import { hexOf, type Digest } from '@caisson/oci';
import { forgetResults, prune, type CacheEntry, type Store } from '@caisson/store';
import type { SpareTars } from './spare-tars.ts';

/** What a build has of one of its steps. */
export interface ResultInBuild {
  /** The key of its record. */
  readonly key: Digest;
  /** What the state behind it counts as in keys. */
  readonly state: Digest;
  readonly layer: { readonly diffId: Digest; /** Of the tar, in bytes. */ readonly size: number };
  /** What of it the build has added to the store; a record alone where the layer was there already. */
  readonly made: 'nothing' | 'record' | 'layer';
}

/** How much builds may leave in the store beside the last two images and the build that runs. */
interface Bounds {
  readonly builds: number;
  /** Of layers that none of those has. */
  readonly bytes: number;
}

const MOST: Bounds = { builds: 20, bytes: 500_000_000 };
/** So much stays when that is passed: to look through the store after each edit would take longer than the build. */
const LEFT: Bounds = { builds: 10, bytes: 250_000_000 };

/** What one build found or made. */
class SeenBuild {
  /** Layers and its manifest, as hex. */
  readonly ids = new Set<string>();
  readonly keys = new Set<Digest>();
  readonly states = new Set<Digest>();
  manifest: Digest | undefined;
}

/**
 * What builds that follow one another have made, and which of it they have no use for any more: with each edit there would
 * be more. What the last of them found or made stays, so that an edit that is undone finds it: as much as is small, and
 * the image before the last one whatever it takes.
 */
export class Superseded {
  /** The newest last. */
  #builds: SeenBuild[] = [];
  #current = new SeenBuild();
  /** The last two that gave images, which differ. */
  #lastGood: readonly SeenBuild[] = [];
  /** Layers and manifests that were made here and may still be in the store, by hex. */
  readonly #made = new Map<string, { readonly digest: Digest; readonly bytes: number }>();
  /** The records that were made here, and the states behind their steps. */
  readonly #records = new Map<Digest, Digest>();
  readonly #spares: SpareTars;

  /** @param spares takes what goes and may be of use */
  constructor(spares: SpareTars) {
    this.#spares = spares;
  }

  /** A build begins. */
  begin(): void {
    this.#current = new SeenBuild();
    this.#builds.push(this.#current);
  }

  /** A step of it has a result. */
  readonly note = ({ key, state, layer, made }: ResultInBuild): void => {
    const id = hexOf(layer.diffId);
    this.#current.ids.add(id);
    this.#current.keys.add(key);
    this.#current.states.add(state);
    if (made === 'nothing') return;
    this.#records.set(key, state);
    if (made === 'layer') this.#made.set(id, { digest: layer.diffId, bytes: layer.size });
  };

  /** It ended well. @param manifest of its image */
  built(manifest: Digest): void {
    const build = this.#current;
    build.manifest = manifest;
    build.ids.add(hexOf(manifest));
    this.#made.set(hexOf(manifest), { digest: manifest, bytes: 0 });
    // One that gave the same image counts once.
    const isOther = (each: SeenBuild): boolean => each === build || each.manifest !== manifest;
    this.#builds = this.#builds.filter(isOther);
    this.#lastGood = [...this.#lastGood.filter(isOther), build].slice(-2);
  }

  /** Takes out of the store what is superseded, unless something of the user's needs it or somebody holds it. */
  async remove(store: Store, signal?: AbortSignal): Promise<void> {
    if (this.#within(MOST).length === this.#builds.length) return;
    this.#builds = this.#within(LEFT);
    await using session = store.session();
    await this.#spares.keepFrom(
      store,
      (layer) => this.#isGone(hexOf(layer)),
      async () =>
        void (await prune(store, session, {
          matches: (entry) => this.#isSuperseded(entry),
          isMeasured: false,
          signal,
        })),
    );
    for (const [id, { digest }] of this.#made)
      if (!this.#isKept(id) && store.blobs.size(digest) === undefined) this.#made.delete(id);
    const keys = [...this.#records.keys()].filter(
      (key) => !this.#builds.some((build) => build.keys.has(key)),
    );
    const states = keys
      .flatMap((key) => this.#records.get(key) ?? [])
      .filter((state) => !this.#builds.some((build) => build.states.has(state)));
    for (const key of keys) this.#records.delete(key);
    await forgetResults(store, { keys, states }, { signal });
  }

  /** The builds that stay within bounds, the newest last: the one that runs and those of the last two images in any case. */
  #within({ builds, bytes }: Bounds): SeenBuild[] {
    const always = this.#builds.filter((build) => build === this.#current || this.#lastGood.includes(build));
    const counted = new Set(always.flatMap(({ ids }) => [...ids]));
    const kept = [...always];
    let left = bytes;
    for (const build of this.#builds.toReversed()) {
      if (always.includes(build) || kept.length >= builds) continue;
      const more = [...build.ids].filter((id) => !counted.has(id));
      const takes = more.reduce((sum, id) => sum + (this.#made.get(id)?.bytes ?? 0), 0);
      if (takes > left) continue;
      left -= takes;
      for (const id of more) counted.add(id);
      kept.push(build);
    }
    return this.#builds.filter((build) => kept.includes(build));
  }

  #isKept(id: string): boolean {
    return this.#builds.some(({ ids }) => ids.has(id));
  }

  #isGone(id: string): boolean {
    return this.#made.has(id) && !this.#isKept(id);
  }

  #isSuperseded({ kind, id }: CacheEntry): boolean {
    switch (kind) {
      case 'step':
      case 'tree':
      case 'unnamed image':
      case 'file':
        return this.#isGone(id);
      case 'base image':
      case 'cache mount':
      case 'unreadable':
      case 'logs':
        return false;
    }
  }
}
