import { readFile, rename } from 'node:fs/promises';
import {
  digestOf,
  familiarName,
  formatReference,
  MEDIA_TYPES,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseReference,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Index,
  type Manifest,
} from '@caisson/oci';
import type { BlobStore } from './blob-store.ts';
import { diskError } from './disk-error.ts';
import { StoreError } from './errors.ts';
import { lockFile, type LockOptions } from './lock.ts';
import type { StorePaths } from './paths.ts';
import type { Session } from './session.ts';
import { writeDocument } from './write-document.ts';

/** The annotation that names an image. */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** An image of the store. */
export interface StoredImage {
  /** The digest of its config. */
  readonly id: Digest;
  /** Its manifest. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** An image and the full names that it goes by, none for one that lost its name to a newer one. */
export interface NamedImage extends StoredImage {
  readonly names: readonly string[];
}

/** An image and the blobs that it needs, as far as they can be known where it is damaged. */
export interface ImageContents {
  readonly descriptor: Descriptor;
  readonly names: readonly string[];
  readonly blobs: readonly Digest[];
}

/**
 * The images of the store: `index.json` of the layout. Whoever changes it holds its lock; readers need none, because
 * it is replaced as a whole.
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md#indexjson-file
 */
export class ImageIndex {
  readonly #paths: StorePaths;
  readonly #blobs: BlobStore;
  readonly #lockOptions: LockOptions;

  constructor(paths: StorePaths, blobs: BlobStore, lockOptions: LockOptions) {
    this.#paths = paths;
    this.#blobs = blobs;
    this.#lockOptions = lockOptions;
  }

  /** All descriptors of the index, as they stand there. */
  async descriptors(): Promise<readonly Descriptor[]> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(this.#paths.index);
    } catch (error) {
      throw diskError(
        error,
        `cannot read ${this.#paths.index}`,
        damaged(`${this.#paths.index} is not there`),
      );
    }
    const parsed = parseIndex(bytes);
    if (!parsed.ok) throw damaged(`${this.#paths.index}: ${parsed.error}`);
    return parsed.value.manifests;
  }

  /** All images, each once with all its names, in the order in which they came. */
  async list(): Promise<NamedImage[]> {
    return Promise.all(
      [...(await this.#byManifest()).values()].map(async (image) => ({
        ...(await this.read(image.descriptor)),
        names: image.names,
      })),
    );
  }

  /** What all images need, whether they can be used or not. */
  async contents(): Promise<ImageContents[]> {
    return Promise.all(
      [...(await this.#byManifest()).values()].map(async ({ descriptor, names }) => ({
        descriptor,
        names,
        blobs: [descriptor.digest, ...(await this.#blobsOf(descriptor))],
      })),
    );
  }

  async #blobsOf({ digest }: Descriptor): Promise<Digest[]> {
    try {
      const manifest = parseManifest(await this.#blobs.document(digest));
      if (!manifest.ok) return [];
      return [manifest.value.config.digest, ...manifest.value.layers.map((layer) => layer.digest)];
    } catch (error) {
      if (error instanceof StoreError) return [];
      throw error;
    }
  }

  async #byManifest(): Promise<Map<Digest, { descriptor: Descriptor; names: string[] }>> {
    const names = new Map<Digest, { descriptor: Descriptor; names: string[] }>();
    for (const descriptor of await this.descriptors()) {
      const known = names.get(descriptor.digest) ?? { descriptor, names: [] };
      const name = descriptor.annotations?.[REF_NAME];
      if (name !== undefined) known.names.push(name);
      names.set(descriptor.digest, known);
    }
    return names;
  }

  /** The image that goes by a name; undefined where none does. */
  async named(name: string): Promise<StoredImage | undefined> {
    const descriptor = (await this.descriptors()).find((each) => each.annotations?.[REF_NAME] === name);
    return descriptor === undefined ? undefined : this.read(descriptor);
  }

  /**
   * The image that somebody means: by name, by image id (with or without `sha256:`) or by a beginning of one that
   * fits no other.
   * @throws StoreError `no-such-image`, `ambiguous-image`
   */
  async find(text: string): Promise<NamedImage> {
    const images = await this.list();
    const reference = parseReference(text);
    if (reference.ok) {
      const full = formatReference(reference.value);
      const image = images.find(
        (each) =>
          each.names.includes(full) ||
          (reference.value.digest === each.descriptor.digest && each.names.length > 0),
      );
      if (image !== undefined) return image;
    }
    const hex = text.replace(/^sha256:/, '');
    const byId = /^[0-9a-f]{4,64}$/.test(hex)
      ? images.filter((each) => each.id.startsWith(`sha256:${hex}`))
      : [];
    const ids = new Set(byId.map((each) => each.id));
    if (ids.size > 1) {
      throw new StoreError('ambiguous-image', `${ids.size} images have an id that begins with ${hex}`, {
        hint: 'give more of the id',
      });
    }
    const [first, ...others] = byId;
    if (first === undefined) throw noSuchImage(text);
    return { ...first, names: [first, ...others].flatMap((each) => each.names) };
  }

  /** Reads what a descriptor of the index points to. */
  async read(descriptor: Descriptor): Promise<StoredImage> {
    const manifest = parseManifest(await this.#blobs.document(descriptor.digest));
    if (!manifest.ok) throw damaged(`the manifest ${descriptor.digest}: ${manifest.error}`);
    const id = manifest.value.config.digest;
    const config = parseImageConfig(await this.#blobs.document(id));
    if (!config.ok) throw damaged(`the image config ${id}: ${config.error}`);
    return { id, descriptor, manifest: manifest.value, config: config.value };
  }

  /**
   * Puts an image into the index under names (none: it can be found by its id only). An image that loses its last
   * name this way stays, unnamed, until prune. Its blobs must be in the store and held.
   * @param names full names, as {@link formatReference} gives them
   * @returns whether anything had to be changed
   */
  async add(session: Session, image: Descriptor, names: readonly string[]): Promise<boolean> {
    return this.#change(session, (before) => {
      const plain: Descriptor = { mediaType: image.mediaType, digest: image.digest, size: image.size };
      const entries = names.length === 0 ? [plain] : names.map((name) => withName(plain, name));
      const kept = before.map((each) =>
        names.includes(each.annotations?.[REF_NAME] ?? '') ? withoutName(each) : each,
      );
      return tidy([...kept, ...entries]);
    });
  }

  /** Whether the index has an image under all of these names already; without names, whether it has it at all. */
  async isNamed(manifest: Digest, names: readonly string[]): Promise<boolean> {
    const own = (await this.descriptors()).filter(({ digest }) => digest === manifest);
    const has = new Set(own.map((each) => each.annotations?.[REF_NAME]));
    return own.length > 0 && names.every((name) => has.has(name));
  }

  /** Takes names away. The images stay, unnamed where they have no other. */
  async removeNames(session: Session, names: readonly string[]): Promise<boolean> {
    return this.#change(session, (before) =>
      tidy(
        before.map((each) => (names.includes(each.annotations?.[REF_NAME] ?? '') ? withoutName(each) : each)),
      ),
    );
  }

  /** Takes images out of the index, with all their names. */
  async remove(session: Session, manifests: readonly Digest[]): Promise<boolean> {
    return this.#change(session, (before) => before.filter((each) => !manifests.includes(each.digest)));
  }

  /** Puts an empty index in the place of one that cannot be read, which is kept as `index.json.damaged`. */
  async beginAnew(session: Session): Promise<void> {
    using _lock = await lockFile(this.#paths.indexLock, 'exclusive', this.#lockOptions);
    await rename(this.#paths.index, `${this.#paths.index}.damaged`).catch(() => {}); // it may not be there
    await writeDocument(session, this.#paths.index, indexText([]), 'synced');
  }

  /** Writes the index anew as it is. */
  async seal(session: Session): Promise<void> {
    using _lock = await lockFile(this.#paths.indexLock, 'exclusive', this.#lockOptions);
    await writeDocument(session, this.#paths.index, indexText(await this.descriptors()), 'synced');
  }

  async #change(
    session: Session,
    change: (before: readonly Descriptor[]) => readonly Descriptor[],
  ): Promise<boolean> {
    using _lock = await lockFile(this.#paths.indexLock, 'exclusive', this.#lockOptions);
    const before = await this.descriptors();
    const after = change(before);
    if (JSON.stringify(before) === JSON.stringify(after)) return false;
    await writeDocument(session, this.#paths.index, indexText(after), 'synced');
    return true;
  }
}

/** The digest of what an index names: it has no digest for a name. */
const SEAL = 'dev.caisson.manifests.digest';

/** The text of an `index.json`. */
export function indexText(manifests: readonly Descriptor[]): string {
  const annotations = { [SEAL]: digestOf(JSON.stringify(manifests)) };
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests, annotations };
  return JSON.stringify(index, undefined, 2);
}

/** Whether an `index.json` is as {@link indexText} wrote it. */
export function isSealedIndex({ manifests }: Index, bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, Buffer.from(indexText(manifests))) === 0;
}

function withName(descriptor: Descriptor, name: string): Descriptor {
  return { ...withoutName(descriptor), annotations: { ...descriptor.annotations, [REF_NAME]: name } };
}

function withoutName(descriptor: Descriptor): Descriptor {
  const { annotations, ...rest } = descriptor;
  const others = Object.entries(annotations ?? {}).filter(([key]) => key !== REF_NAME);
  return others.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(others) };
}

/** Each name once (the last one counts), and an image without a name only where it has no entry with one. */
function tidy(descriptors: readonly Descriptor[]): Descriptor[] {
  const named = new Set(
    descriptors.filter((each) => each.annotations?.[REF_NAME] !== undefined).map((each) => each.digest),
  );
  const seen = new Set<string>();
  return descriptors
    .toReversed()
    .filter((each) => {
      const name = each.annotations?.[REF_NAME];
      if (name === undefined && named.has(each.digest)) return false;
      const identity = name ?? each.digest;
      if (seen.has(identity)) return false;
      seen.add(identity);
      return true;
    })
    .toReversed();
}

function damaged(message: string): StoreError {
  return new StoreError('damaged', message, {
    hint: 'caisson store verify says all that is wrong; with --repair it mends what it can',
  });
}

function noSuchImage(text: string): StoreError {
  const reference = parseReference(text);
  const names = reference.ok
    ? `is named ${familiarName(reference.value)}`
    : `goes by ${JSON.stringify(text)}`;
  const ids = /^(?:sha256:)?[0-9a-f]{4,64}$/.test(text) ? ` or has an id that begins with ${text}` : '';
  return new StoreError('no-such-image', `no image ${names}${ids}`, {
    hint: 'caisson images lists what is there',
  });
}
