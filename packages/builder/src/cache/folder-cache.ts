import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, lstatSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  digestOf,
  Digester,
  hexOf,
  MEDIA_TYPES,
  parseIndex,
  parseManifest,
  type Descriptor,
  type Digest,
  type Index,
  type Manifest,
  type Reference,
} from '@caisson/oci';
import { lockFile, tryLockFile, type HeldLock } from '@caisson/store';
import { errorCode } from '@caisson/sys';
import { RECORDS_TYPE } from './cache-document.ts';
import { CacheError } from './cache-error.ts';
import type { CacheBlob, CachePlace } from './cache-place.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
const MAX_INDEX = 4 << 20;
const MAX_CONFIG = 64 << 20;
const WRITERS = 'writers.lock';
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
  /** Shared by all who write: as long as one does, nothing is removed, for no manifest names yet what it wrote. */
  #writing: Promise<HeldLock> | undefined;

  /** @param folder absolute */
  constructor(folder: string, tag: string) {
    this.title = `the cache ${folder}`;
    this.#folder = folder;
    this.#tag = tag;
  }

  async read(): Promise<{ manifest: Manifest; config: Uint8Array } | undefined> {
    const index = await this.#index();
    const entry = index?.manifests.find(({ annotations }) => annotations?.[REF_NAME] === this.#tag);
    if (entry === undefined) return undefined;
    const manifest = parseManifest(await this.#document(entry, MAX_INDEX), entry.mediaType);
    if (!manifest.ok) throw new CacheError(`its manifest cannot be read: ${manifest.error}`);
    const { config } = manifest.value;
    if (config.mediaType !== RECORDS_TYPE) throw new CacheError(SOMETHING_ELSE);
    return { manifest: manifest.value, config: await this.#document(config, MAX_CONFIG) };
  }

  /** What is replaced must be a cache: the folder may be an image of the user's. One that is damaged goes. */
  async #checkCache(entry: Descriptor): Promise<void> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#document(entry, MAX_INDEX);
    } catch (error) {
      if (error instanceof CacheError || errorCode(error) === 'ENOENT') return;
      throw error;
    }
    const manifest = parseManifest(bytes, entry.mediaType);
    if (!manifest.ok || manifest.value.config.mediaType !== RECORDS_TYPE)
      throw new CacheError(SOMETHING_ELSE);
  }

  async *open({ digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
    const digester = new Digester();
    for await (const chunk of createReadStream(this.#blob(digest))) {
      if (!(chunk instanceof Uint8Array))
        throw new Error('Internal error: a file stream gave something else than bytes');
      digester.update(chunk);
      yield chunk;
    }
    if (digester.size !== size || digester.digest() !== digest)
      throw new CacheError(`its blob ${digest} is damaged`);
  }

  async has({ digest, size }: Descriptor, signal: AbortSignal): Promise<boolean> {
    await this.#beginToWrite(signal);
    const there = lstatSync(this.#blob(digest), { throwIfNoEntry: false });
    return there?.isFile() === true && there.size === size;
  }

  async write(
    { descriptor, open }: CacheBlob,
    _from: readonly Reference[],
    signal: AbortSignal,
  ): Promise<void> {
    await this.#beginToWrite(signal);
    await this.#place(this.#blob(descriptor.digest), (path) =>
      pipeline(open(), createWriteStream(path, { flags: 'wx' }), { signal }),
    );
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
    await this.#writeText('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
    await this.#writeText('index.json', JSON.stringify(index));
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
    this.#writing ??= mkdir(join(this.#folder, 'blobs', 'sha256'), { recursive: true }).then(() =>
      lockFile(join(this.#folder, WRITERS), 'shared', { signal }),
    );
    return this.#writing;
  }

  /** Removes the blobs that no tag names. One that cannot be read keeps everything. */
  async #sweep(manifests: readonly Descriptor[]): Promise<void> {
    const needed = new Set<string>();
    for (const entry of manifests) {
      const manifest = parseManifest(await this.#document(entry, MAX_INDEX), entry.mediaType);
      if (!manifest.ok) return;
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
      bytes = await readFile(join(this.#folder, 'index.json'));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    const index = parseIndex(bytes);
    if (!index.ok) throw new CacheError(`its index.json cannot be read: ${index.error}`);
    return index.value;
  }

  async #document({ digest, size }: Descriptor, limit: number): Promise<Uint8Array> {
    if (size > limit) throw new CacheError(`its blob ${digest} is too large for a document`);
    const bytes = await readFile(this.#blob(digest));
    if (digestOf(bytes) !== digest) throw new CacheError(`its blob ${digest} is damaged`);
    return bytes;
  }

  #writeText(name: string, text: string): Promise<void> {
    return this.#place(join(this.#folder, name), (path) => writeFile(path, text, { flag: 'wx' }));
  }

  /** Writes beside the place and moves there: nobody sees half a file. */
  async #place(path: string, write: (path: string) => Promise<void>): Promise<void> {
    // No number of a process: in containers that share a folder they are the same.
    const part = join(this.#folder, `.${randomUUID()}.part`);
    try {
      await write(part);
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
