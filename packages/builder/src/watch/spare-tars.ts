import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { DigestThread, hostPath, type HostPath, type TarOfLayer, type Toc } from '@caisson/layer';
import type { DiffId } from '@caisson/oci';
import { errorCode, isFull } from '@caisson/sys';
import type { Session, Store } from '@caisson/store';
import { unlessAborted } from '@caisson/runtime';
import { copyInBackground } from './copy-in-background.ts';

/** How many layers are known: more than the steps of copied files that most Dockerfiles have, twice. */
const MOST = 40;

/** How many spare tars a step may have: as many edits later, the store is looked through again. */
const MOST_OF_STEP = 8;

/** The largest tar that is copied, in bytes. */
const MOST_COPIED = 1 << 30;

/** The same for a step that wrote one only: nobody may ever edit what it copies. */
const MOST_COPIED_ONCE = 128 << 20;

/** A layer that a step wrote. */
export interface WrittenTar {
  readonly diffId: DiffId;
  readonly toc: Toc;
}

/** A tar that may be written over, and who takes the digest of what comes of it. */
export interface SpareTar {
  readonly old: TarOfLayer;
  readonly digests: DigestThread;
}

/** A tar that has no name in the store any more. */
interface Spare {
  readonly toc: Toc;
  readonly path: string;
  /** How it looked when it was put aside. */
  readonly state: string;
}

/**
 * The tars of layers that a process wrote and nobody needs any more, a few of each step: the next layers of the
 * step are written over them. What is known of the layers that are still in use is kept, too.
 */
export class SpareTars implements AsyncDisposable {
  readonly #session: Session;
  readonly #written = new Map<DiffId, WrittenTar & { readonly step: string }>();
  readonly #digests = new DigestThread();
  /** By step, the last that was put aside the last. */
  readonly #spares = new Map<string, Spare[]>();

  /** @param session in whose folder they lie */
  constructor(session: Session) {
    this.#session = session;
  }

  /** A step wrote a layer. @param step what tells it from the others, in all builds */
  wrote(step: string, layer: WrittenTar): void {
    this.#written.delete(layer.diffId);
    this.#written.set(layer.diffId, { ...layer, step });
    const [oldest] = this.#written.keys();
    if (this.#written.size > MOST && oldest !== undefined) this.#written.delete(oldest);
  }

  /** Moves the spare tar of a step to a path, if there is one and nobody has touched it. */
  take(step: string, path: string): SpareTar | undefined {
    const spare = this.#spares.get(step)?.pop();
    if (spare === undefined) return undefined;
    if (stateOf(spare.path) !== spare.state) {
      rmSync(spare.path, { force: true });
      return undefined;
    }
    renameSync(spare.path, path);
    return { old: { toc: spare.toc, tar: hostPath(path) }, digests: this.#digests };
  }

  /**
   * Lets layers go out of a store, and keeps the tars of those that turn out to be gone.
   * @param mayGo whether a layer is among those that are to go
   * @param remove takes them out, as far as nobody needs them
   */
  async keepFrom(
    store: Store,
    mayGo: (layer: DiffId) => boolean,
    remove: () => Promise<void>,
  ): Promise<void> {
    const linked: (WrittenTar & { readonly step: string; readonly path: string })[] = [];
    for (const layer of this.#written.values()) {
      if (!mayGo(layer.diffId)) continue;
      // What was mounted once may be mounted still: its bytes must stay as they are.
      if (store.maps.mayBeMounted(layer.diffId)) continue;
      const path = this.#session.newPath('spare');
      if (tryLink(store.blobs.path(layer.diffId), path)) linked.push({ ...layer, path });
    }
    try {
      await remove();
    } finally {
      for (const { diffId, step, toc, path } of linked) {
        const state = stateOf(path);
        if (state === undefined) rmSync(path, { force: true });
        else this.#put(step, { toc, path, state });
        this.#written.delete(diffId);
      }
    }
  }

  /**
   * Copies the latest tars of steps that have no spare one, so that their next ones are written over those: large ones
   * where a step writes one again and again. Where there is no room for copies, there are none.
   */
  async prepare(store: Store, signal: AbortSignal): Promise<void> {
    const latest = new Map([...this.#written.values()].map((layer) => [layer.step, layer]));
    for (const layer of latest.values()) {
      const isOften = [...this.#written.values()].filter(({ step }) => step === layer.step).length > 1;
      const size = store.blobs.size(layer.diffId) ?? 0;
      if (size > (isOften ? MOST_COPIED : MOST_COPIED_ONCE) || this.#hasSpare(layer.step)) continue;
      const path = this.#session.newPath('spare');
      try {
        await copyInBackground(store.blobs.path(layer.diffId), path, signal);
        await unlessAborted(this.#learn(layer.diffId, hostPath(path), size), signal);
      } catch (error) {
        rmSync(path, { force: true });
        if (signal.aborted) return;
        if (errorCode(error) === 'ENOENT' || isFull(error)) continue;
        throw error;
      }
      const state = stateOf(path);
      if (state !== undefined) this.#put(layer.step, { toc: layer.toc, path, state });
    }
  }

  /** Takes the digest of a layer, so that the next one, which begins alike, is read from there only. */
  async #learn(layer: DiffId, tar: HostPath, size: number): Promise<void> {
    await this.#digests.follow({ tar, alike: layer, same: size }).finish(size);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#digests[Symbol.asyncDispose]();
  }

  #hasSpare(step: string): boolean {
    return (this.#spares.get(step) ?? []).length > 0;
  }

  #put(step: string, spare: Spare): void {
    const all = this.#spares.get(step) ?? [];
    this.#spares.set(step, all);
    all.push(spare);
    if (all.length > MOST_OF_STEP) rmSync(all.shift()?.path ?? '', { force: true });
  }
}

/** Gives a file another name, if it is there. */
function tryLink(path: string, name: string): boolean {
  try {
    linkSync(path, name);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** How a file looks that has no other name; undefined for one that has. */
function stateOf(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat?.nlink === 1n ? `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : undefined;
}
