import {
  chooseManifest,
  digestOf,
  isIndexType,
  familiarName,
  formatPlatform,
  MAX_INDEX_DEPTH,
  MEDIA_TYPES,
  parseImageConfig,
  parseIndex,
  parseManifest,
  validateImage,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Index,
  type Manifest,
  type Platform,
  type Reference,
} from '@caisson/oci';
import type { RegistryClient, Repository } from './client.ts';
import { RegistryError } from './errors.ts';
import { getManifest, headManifest, type ManifestDocument } from './manifests.ts';
import { openBlob } from './blobs.ts';
import { MAX_DOCUMENT, readBody } from './transport/body.ts';

/** An image of a registry, before its layers are fetched. */
export interface RemoteImage {
  /** What the name points to: an index, or the manifest itself. */
  readonly tagDigest: Digest;
  /** The manifest for the platform. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
}

const CONFIG_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociConfig, MEDIA_TYPES.dockerConfig]);

/**
 * Asks what a name points to now, without reading it. Of a name with a digest that is the digest.
 * @returns undefined where no place says
 * @throws RegistryError
 */
export async function resolveDigest(
  client: RegistryClient,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  if (reference.digest !== undefined) return reference.digest;
  const shown = familiarName(reference);
  return client.read(reference, signal, (repository) =>
    headManifest(repository, reference.tag ?? 'latest', shown, signal),
  );
}

/**
 * Reads an image's manifest and config. Where a name has both a tag and a digest, the digest counts.
 * @throws RegistryError
 */
export function fetchImage(
  client: RegistryClient,
  reference: Reference,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<RemoteImage> {
  const shown = familiarName(reference);
  const which =
    reference.digest === undefined ? { tag: reference.tag ?? 'latest' } : { digest: reference.digest };
  return client.read(reference, signal, async (repository) => {
    const top = await getManifest(repository, which, shown, signal);
    const document = await manifestFor(repository, top, platform, shown, signal);
    const parsed = parseManifest(document.bytes, document.descriptor.mediaType);
    if (!parsed.ok) throw notAnImage(shown, parsed.error);
    const manifest = parsed.value;
    if (!CONFIG_TYPES.has(manifest.config.mediaType)) {
      throw notAnImage(shown, `its config has the media type ${JSON.stringify(manifest.config.mediaType)}`);
    }
    const configBytes = await readConfig(repository, manifest.config, shown, signal);
    const config = parseImageConfig(configBytes);
    if (!config.ok) throw notAnImage(shown, config.error);
    const [problem] = validateImage(manifest, config.value);
    if (problem !== undefined) throw notAnImage(shown, problem);
    return {
      tagDigest: top.descriptor.digest,
      descriptor: document.descriptor,
      manifest,
      manifestBytes: document.bytes,
      config: config.value,
      configBytes,
    };
  });
}

/** Goes from an index to the manifest for a platform; an index may hold further ones. */
async function manifestFor(
  repository: Repository,
  top: ManifestDocument,
  platform: Platform,
  shown: string,
  signal: AbortSignal | undefined,
): Promise<ManifestDocument> {
  let document = top;
  for (let depth = 0; isIndexType(document.descriptor.mediaType); depth++) {
    if (depth === MAX_INDEX_DEPTH)
      throw notAnImage(shown, `its index is nested more than ${MAX_INDEX_DEPTH} deep`);
    const index = parseIndex(document.bytes, document.descriptor.mediaType);
    if (!index.ok) throw notAnImage(shown, index.error);
    const chosen = choose(index.value, platform, shown);
    document = await getManifest(repository, chosen, shown, signal);
    if (chosen.mediaType !== document.descriptor.mediaType) {
      throw notAnImage(
        shown,
        `its index announces a ${chosen.mediaType} but it is a ${document.descriptor.mediaType}`,
      );
    }
  }
  return document;
}

/** The entry that fits a platform best. */
function choose({ manifests }: Index, platform: Platform, shown: string): Descriptor {
  const chosen = chooseManifest(manifests, platform);
  if (chosen.ok) return chosen.value;
  const existing = new Set(chosen.error.map(formatPlatform));
  throw new RegistryError('no-platform', `${shown} is not there for ${formatPlatform(platform)}`, {
    hint: existing.size === 0 ? 'its index is empty' : `it is for ${[...existing].join(', ')}`,
  });
}

async function readConfig(
  repository: Repository,
  descriptor: Descriptor,
  shown: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const what = `the config of ${shown}`;
  if (descriptor.size > MAX_DOCUMENT) throw new RegistryError('too-large', `${what} is larger than 4 MiB`);
  const response = await openBlob(repository, descriptor.digest, 0, what, signal);
  const bytes = await readBody(response, MAX_DOCUMENT, what);
  if (bytes.length !== descriptor.size) {
    throw new RegistryError(
      'size-mismatch',
      `${what} is ${bytes.length} bytes long, not the ${descriptor.size} stated`,
    );
  }
  if (digestOf(bytes) !== descriptor.digest) {
    throw new RegistryError('digest-mismatch', `${what} is not what its digest ${descriptor.digest} names`);
  }
  return bytes;
}

function notAnImage(shown: string, why: string): RegistryError {
  return new RegistryError('not-an-image', `${shown} cannot be used as an image: ${why}`);
}
