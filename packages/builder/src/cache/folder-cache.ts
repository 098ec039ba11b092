import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkedBytes,
  digestOf,
  hexOf,
  MEDIA_TYPES,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type DiffId,
  type Index,
  type Manifest,
  type Reference,
} from '@caisson/oci';
import { lockFile, tryLockFile, type HeldLock } from '@caisson/store';
import { errorCode, makeFolders } from '@caisson/sys';
import { RECORDS_TYPE } from './cache-document.ts';
import { CacheError } from './cache-error.ts';
import type { CacheBlob, CachePlace } from './cache-place.ts';
import { openRegular, readSmall } from './regular-file.ts';
import { writeLayer, type LayerWriting } from './write-layer.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
const MAX_INDEX = 4 << 20;
const MAX_CONFIG = 64 << 20;
const WRITERS = 'writers.lock';
const WHY_NO_FOLDER: ReadonlyMap<string | undefined, string> = new Map([
  ['EEXIST', 'there is a file in the way, where a folder should be'],
  ['ENOTDIR', 'there is a file in the way, where a folder should be'],
  ['ENOENT', 'no folder can be made there'],
  ['EACCES', 'no permission to make its folder'],
  ['EPERM', 'no permission to make its folder'],
  ['EROFS', 'the file system is read-only'],
]);
const SOMETHING_ELSE = 'it is an image layout of something else';

/**
 * A cache in a folder: an image layout with a manifest for each tag. What no manifest names any more goes when a cache is
 * written, so that the folder does not grow for ever.
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export class FolderCache implements CachePlace {
  readonly title: string;
  readonly repository = undefined;
  readonly #folder: string;
  readonly #tag: string;
  readonly #digest: Digest | undefined;
  /** Shared by all who write: as long as one does, nothing is removed, for no manifest names yet what it wrote. */
  #writing: Promise<HeldLock> | undefined;

  /**
   * @param folder absolute
   * @param digest of the manifest to read, whatever its tag
   */
  constructor(folder: string, tag: string, digest?: Digest) {
    this.title = `the cache ${folder}`;
    this.#folder = folder;
    this.#tag = tag;
    this.#digest = digest;
  }

  async read(): Promise<{ manifest: Manifest; config: Uint8Array } | undefined> {
    const index = await this.#index();
    const entry = index?.manifests.find(({ annotations, digest }) =>
      this.#digest === undefined ? annotations?.[REF_NAME] === this.#tag : digest === this.#digest,
    );
    if (entry === undefined) return undefined;
    const manifest = parseManifest(await this.#document(entry, MAX_INDEX), entry.mediaType);
    if (!manifest.ok) throw new CacheError(`its manifest cannot be read: ${manifest.error}`);
    const { config } = manifest.value;
    if (config.mediaType !== RECORDS_TYPE) throw new CacheError(SOMETHING_ELSE);
    return { manifest: manifest.value, config: await this.#document(config, MAX_CONFIG) };
  }

  /** What is replaced must be a cache: the folder may be an image of the user's. One that is damaged goes. */
  async #checkCache(entry: Descriptor): Promise<void> {
    const bytes = await this.#readable(entry);
    if (bytes === undefined) return;
    const manifest = parseManifest(bytes, entry.mediaType);
    if (!manifest.ok || manifest.value.config.mediaType !== RECORDS_TYPE)
      throw new CacheError(SOMETHING_ELSE);
  }

  async *open({ digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
    const wrong = (): CacheError => new CacheError(`its blob ${digest} is damaged`);
    await using file = await openRegular(this.#blob(digest), `its blob ${digest}`);
    if ((await file.stat()).size !== size) throw wrong();
    yield* checkedBytes(file.createReadStream({ autoClose: false }), { digest, size }, wrong);
  }

  /** A blob that is there is hashed before it counts: what is damaged is written again. */
  async has(descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
    await this.#beginToWrite(signal);
    try {
      for await (const _chunk of this.open(descriptor)) signal.throwIfAborted();
      return true;
    } catch (error) {
      if (error instanceof CacheError || errorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  writeLayer(diffId: DiffId, size: number, options: LayerWriting): Promise<Descriptor> {
    return writeLayer(this, diffId, size, options);
  }

  async write(
    { descriptor, open: bytes }: CacheBlob,
    _from: readonly Reference[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.#beginToWrite(signal);
    await this.#place(this.#blob(descriptor.digest), bytes(), signal);
  }

  async finish(manifest: Uint8Array, config: CacheBlob, signal: AbortSignal): Promise<void> {
    const digest = digestOf(manifest);
    const descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest, size: manifest.length };
    await this.write(config, [], signal);
    await this.write({ descriptor, open: () => once(manifest) }, [], signal);
    using _lock = await lockFile(join(this.#folder, 'caisson.lock'), 'exclusive', { signal });
    const there = (await this.#index())?.manifests ?? [];
    const others = there.filter(({ annotations }) => annotations?.[REF_NAME] !== this.#tag);
    for (const entry of there) if (!others.includes(entry)) await this.#checkCache(entry);
    const manifests = [...others, { ...descriptor, annotations: { [REF_NAME]: this.#tag } }];
    const index: Index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests };
    await this.#writeText('oci-layout', '{"imageLayoutVersion":"1.0.0"}', signal);
    await this.#writeText('index.json', JSON.stringify(index), signal);
    await this[Symbol.asyncDispose]();
    using alone = tryLockFile(join(this.#folder, WRITERS), 'exclusive');
    if (alone !== undefined) await this.#sweep(manifests);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const writing = this.#writing;
    this.#writing = undefined;
    (await writing?.catch(() => undefined))?.[Symbol.dispose]();
  }

  #beginToWrite(signal: AbortSignal): Promise<HeldLock> {
    this.#writing ??= this.#lockForWriting(signal);
    return this.#writing;
  }

  async #lockForWriting(signal: AbortSignal): Promise<HeldLock> {
    this.#makeFolder();
    return lockFile(join(this.#folder, WRITERS), 'shared', { signal });
  }

  #makeFolder(): void {
    try {
      makeFolders(join(this.#folder, 'blobs', 'sha256'));
    } catch (error) {
      const why = WHY_NO_FOLDER.get(errorCode(error));
      throw why === undefined ? error : new CacheError(why);
    }
  }

  /** Removes the blobs that no tag names. A tag whose manifest cannot be read keeps everything. */
  async #sweep(manifests: readonly Descriptor[]): Promise<void> {
    const needed = new Set<string>();
    for (const entry of manifests) {
      const bytes = await this.#readable(entry);
      const manifest = bytes === undefined ? undefined : parseManifest(bytes, entry.mediaType);
      if (manifest?.ok !== true) return;
      for (const { digest } of [entry, manifest.value.config, ...manifest.value.layers])
        needed.add(hexOf(digest));
    }
    const folder = join(this.#folder, 'blobs', 'sha256');
    for (const name of await readdir(folder)) {
      if (/^[0-9a-f]{64}$/.test(name) && !needed.has(name)) await rm(join(folder, name), { force: true });
    }
  }

  async #index(): Promise<Index | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await readSmall(join(this.#folder, 'index.json'), 'its index.json', MAX_INDEX);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    const index = parseIndex(bytes);
    if (!index.ok) throw new CacheError(`its index.json cannot be read: ${index.error}`);
    return index.value;
  }

  /** The manifest of a tag; undefined for one that is damaged or gone. */
  async #readable(entry: Descriptor): Promise<Uint8Array | undefined> {
    try {
      return await this.#document(entry, MAX_INDEX);
    } catch (error) {
      if (error instanceof CacheError || errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #document({ digest, size }: Descriptor, limit: number): Promise<Uint8Array> {
    if (size > limit) throw new CacheError(`its blob ${digest} is too large for a document`);
    const bytes = await readSmall(this.#blob(digest), `its blob ${digest}`, size);
    if (digestOf(bytes) !== digest) throw new CacheError(`its blob ${digest} is damaged`);
    return bytes;
  }

  #writeText(name: string, text: string, signal: AbortSignal): Promise<void> {
    return this.#place(join(this.#folder, name), once(Buffer.from(text)), signal);
  }

  /** Writes beside the place and moves there what is on the disk: nobody sees half a file, not even after a power cut. */
  async #place(path: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    // No number of a process: in containers that share a folder they are the same.
    const part = join(this.#folder, `.${randomUUID()}.part`);
    try {
      await using file = await open(part, 'wx');
      for await (const chunk of bytes) {
        signal.throwIfAborted();
        await file.writeFile(chunk);
      }
      await file.datasync();
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  #blob(digest: Digest): string {
    return join(this.#folder, 'blobs', 'sha256', hexOf(digest));
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
