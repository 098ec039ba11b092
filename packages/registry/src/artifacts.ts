import {
  checkedBytes,
  digestOf,
  familiarName,
  parseManifest,
  type Descriptor,
  type Manifest,
  type Reference,
} from '@caisson/oci';
import { blobBytes, openBlob } from './blobs.ts';
import type { RegistryClient } from './client.ts';
import { RegistryError } from './errors.ts';
import { getManifest } from './manifests.ts';
import { readBody } from './transport/body.ts';

/** Something in a registry that is no image: a manifest, and the config that says what it is. */
export interface Artifact {
  readonly manifest: Manifest;
  readonly config: Uint8Array;
}

/** The largest config of an artifact, in bytes. */
const MAX_CONFIG = 64 * 1024 * 1024;

/**
 * Reads an artifact, from its registry itself.
 * @param configType the media type that its config must have
 * @returns undefined where there is none
 * @throws RegistryError
 */
export async function fetchArtifact(
  client: RegistryClient,
  reference: Reference,
  configType: string,
  signal: AbortSignal | undefined,
): Promise<Artifact | undefined> {
  const shown = familiarName(reference);
  const repository = client.toWrite(reference);
  const which =
    reference.digest === undefined ? { tag: reference.tag ?? 'latest' } : { digest: reference.digest };
  const document = await getManifest(repository, which, shown, signal).catch((error: unknown) => {
    if (error instanceof RegistryError && error.code === 'not-found') return undefined;
    throw error;
  });
  if (document === undefined) return undefined;
  const manifest = parseManifest(document.bytes, document.descriptor.mediaType);
  if (!manifest.ok) throw new RegistryError('not-an-image', `${shown}: ${manifest.error}`);
  const { config } = manifest.value;
  if (config.mediaType !== configType) {
    const message = `${shown} is something else: its config has the media type ${JSON.stringify(config.mediaType)}`;
    throw new RegistryError('not-an-image', message);
  }
  const what = `the config of ${shown}`;
  const response = await openBlob(repository, config.digest, 0, what, signal);
  const bytes = await readBody(response, MAX_CONFIG, what);
  if (digestOf(bytes) !== config.digest)
    throw new RegistryError('digest-mismatch', `${what} is not what its digest ${config.digest} names`);
  return { manifest: manifest.value, config: bytes };
}

/**
 * The bytes of a blob, from its registry itself; a transfer that breaks off goes on where it ended. Whoever gets to the
 * end has the right ones.
 * @throws RegistryError
 */
export async function* readBlob(
  client: RegistryClient,
  reference: Reference,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const what = `a blob of ${familiarName(reference)}`;
  const repository = client.toWrite(reference);
  const bytes = blobBytes(repository, descriptor, client.timing, { what, signal });
  yield* checkedBytes(
    bytes,
    descriptor,
    () => new RegistryError('digest-mismatch', `the registry sent wrong bytes for ${what}`),
  );
}
