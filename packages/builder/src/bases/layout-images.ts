import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  chooseManifest,
  digestOf,
  formatPlatform,
  hexOf,
  isDigest,
  isIndexType,
  MAX_INDEX_DEPTH,
  parseImageConfig,
  parseIndex,
  parseManifest,
  validateImage,
  type Descriptor,
  type Digest,
  type Index,
  type Platform,
  type Result,
} from '@caisson/oci';
import { suggest } from '@caisson/parser';
import type { Session, Store } from '@caisson/store';
import { errorCode } from '@caisson/sys';
import { buildError } from '../failure.ts';
import type { StateLayer } from '../state.ts';
import type { BaseImage } from './base-image.ts';
import { stateOfImage } from './image-state.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
const MAX_DOCUMENT = 4 << 20;

/** A layout's folder, and which of its images: `:tag`, `@digest`, or nothing. */
export function parseLayoutName(text: string): { readonly folder: string; readonly rest: string } {
  const [, folder = text, rest = ''] =
    /^(.*?)((?:@sha256:.*|:[A-Za-z0-9_][A-Za-z0-9._-]*))$/.exec(text) ?? [];
  return { folder, rest };
}

/**
 * Images of OCI image layouts on the disk. Their layers come into the store when something needs their bytes.
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export class LayoutImages {
  readonly #store: Store;
  readonly #session: Session;
  readonly #signal: AbortSignal | undefined;
  readonly #folders = new Map<Digest, string>();

  constructor(store: Store, session: Session, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#session = session;
    this.#signal = signal;
  }

  /**
   * @param name an absolute folder, and `:tag` or `@digest`
   * @param title what messages call it
   * @throws BuildError `no-such-image`, `bad-image`
   */
  async open(name: string, title: string, platform: Platform): Promise<BaseImage> {
    const { folder, rest } = parseLayoutName(name);
    const layout = new Layout(folder, title);
    const { descriptor, bytes } = await layout.manifestFor(rest, platform);
    const manifest = layout.sound(parseManifest(bytes, descriptor.mediaType));
    const config = layout.sound(parseImageConfig(await layout.document(manifest.config)));
    const [problem] = validateImage(manifest, config);
    if (problem !== undefined) throw layout.notAnImage(problem);
    for (const { digest } of manifest.layers) this.#folders.set(digest, folder);
    const image = { id: manifest.config.digest, descriptor, manifest, config };
    return { name: `oci-layout://${name}`, config, state: stateOfImage(this.#store, image) };
  }

  /** Brings the blob of a layer into the store. @returns whether it is one of a layout */
  async provide({ descriptor }: StateLayer): Promise<boolean> {
    const folder = this.#folders.get(descriptor.digest);
    if (folder === undefined) return false;
    const { blobs } = this.#store;
    if (await blobs.has(this.#session, descriptor.digest)) return true;
    const path = blobPath(folder, descriptor.digest);
    if ((await stat(path).catch(() => undefined))?.isFile() !== true)
      throw buildError('bad-image', `the image layout ${folder} has no blob ${descriptor.digest}`);
    await blobs.put(this.#session, bytesOf(path, this.#signal), descriptor);
    return true;
  }
}

/** A folder that holds images. */
class Layout {
  readonly #folder: string;
  readonly #title: string;

  constructor(folder: string, title: string) {
    this.#folder = folder;
    this.#title = title;
  }

  /** The manifest that a name means for a platform. */
  async manifestFor(
    rest: string,
    platform: Platform,
  ): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }> {
    const top = this.sound(parseIndex(await this.#read('index.json')));
    let descriptor = this.#named(top, rest, platform);
    for (let depth = 0; depth < MAX_INDEX_DEPTH; depth++) {
      const bytes = await this.document(descriptor);
      if (!isIndexType(descriptor.mediaType)) return { descriptor, bytes };
      descriptor = this.#forPlatform(this.sound(parseIndex(bytes, descriptor.mediaType)).manifests, platform);
    }
    throw this.notAnImage(`its index is nested more than ${MAX_INDEX_DEPTH} deep`);
  }

  /** A document by its descriptor, checked. */
  async document({ digest, size }: Descriptor): Promise<Uint8Array> {
    const bytes = await this.#read(blobName(digest));
    if (bytes.length === size && digestOf(bytes) === digest) return bytes;
    throw this.notAnImage(`the blob ${digest} is damaged`);
  }

  sound<T>(parsed: Result<T, string>): T {
    if (parsed.ok) return parsed.value;
    throw this.notAnImage(parsed.error);
  }

  notAnImage(why: string): Error {
    return buildError('bad-image', `${this.#title} cannot be used: ${this.#folder}: ${why}`);
  }

  #named({ manifests }: Index, rest: string, platform: Platform): Descriptor {
    const digest = rest.slice(1);
    if (rest.startsWith('@') && isDigest(digest)) {
      const found = manifests.find((entry) => entry.digest === digest);
      if (found !== undefined) return found;
      throw this.#noSuchImage(`no image with the digest ${digest}`, manifests, digest);
    }
    if (rest.startsWith('@')) throw this.notAnImage(`${JSON.stringify(rest.slice(1))} is no digest`);
    const tag = rest === '' ? 'latest' : rest.slice(1);
    const named = manifests.filter((entry) => isTagged(entry, tag));
    // One image alone needs no name.
    const candidates = named.length === 0 && rest === '' && manifests.length === 1 ? manifests : named;
    if (candidates.length === 0) throw this.#noSuchImage(`no image tagged ${tag}`, manifests, tag);
    const [only] = candidates;
    return candidates.length === 1 && only !== undefined ? only : this.#forPlatform(candidates, platform);
  }

  #noSuchImage(what: string, manifests: readonly Descriptor[], wanted: string): Error {
    const tags = [...new Set(manifests.flatMap((entry) => entry.annotations?.[REF_NAME] ?? []))];
    const near = suggest(wanted, tags);
    return buildError('no-such-image', `${this.#title}: ${this.#folder} has ${what}`, {
      ...(tags.length === 0 ? {} : { expected: `one of ${tags.join(', ')}` }),
      ...(near === undefined ? {} : { suggestion: near }),
    });
  }

  /** The entry that fits a platform best. */
  #forPlatform(manifests: readonly Descriptor[], platform: Platform): Descriptor {
    const chosen = chooseManifest(manifests, platform);
    if (chosen.ok) return chosen.value;
    throw buildError('no-such-image', `${this.#title} is not there for ${formatPlatform(platform)}`);
  }

  async #read(name: string): Promise<Uint8Array> {
    const path = join(this.#folder, name);
    try {
      const found = await stat(path);
      if (!found.isFile()) throw this.notAnImage(`${name} is no file`);
      if (found.size > MAX_DOCUMENT) throw this.notAnImage(`${name} is larger than 4 MiB`);
      return await readFile(path);
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
      throw buildError(
        'no-such-image',
        `${this.#title}: ${this.#folder} is no image layout: it has no ${name}`,
        {
          expected: 'oci-layout://FOLDER[:TAG|@DIGEST]',
        },
      );
    }
  }
}

/** A tag alone, as the specification has it; or a whole name, as containerd writes it. */
function isTagged({ annotations }: Descriptor, tag: string): boolean {
  const name = annotations?.[REF_NAME];
  return name === tag || name?.endsWith(`:${tag}`) === true;
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function blobPath(folder: string, digest: Digest): string {
  return join(folder, blobName(digest));
}

async function* bytesOf(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path, { signal })) {
    if (!(chunk instanceof Uint8Array))
      throw new Error('Internal error: a file stream gave something else than bytes');
    yield chunk;
  }
}
