import {
  digestOf,
  isIndexType,
  isManifestType,
  MEDIA_TYPES,
  parseDigest,
  type Descriptor,
  type Digest,
} from '@caisson/oci';
import type { Repository } from './client.ts';
import { RegistryError } from './errors.ts';
import { MAX_DOCUMENT, readBody } from './transport/body.ts';
import type { ResponseHeaders } from './transport/http.ts';
import { repositoryScope } from './transport/scope.ts';

/** A manifest or an index, and its bytes as they are. */
export interface ManifestDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

const ACCEPT = [
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.dockerManifestList,
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.dockerManifest,
].join(', ');

/**
 * What a tag points to now, by one HEAD request.
 * @param shown the image, for messages: `debian:12`
 * @returns undefined where the registry does not say: then the manifest has to be read
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#checking-if-content-exists-in-the-registry
 */
export async function headManifest(
  { host, name }: Repository,
  tag: string,
  shown: string,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  const response = await host.send({
    method: 'HEAD',
    to: `${name}/manifests/${tag}`,
    headers: { accept: ACCEPT },
    scopes: [repositoryScope(name, 'pull')],
    doing: `read ${shown}`,
    expect: [200, 404, 405],
    signal,
  });
  await response.discard();
  const digest = parseDigest(response.headers.get('docker-content-digest') ?? '');
  return response.status === 200 && digest.ok ? digest.value : undefined;
}

/**
 * Reads a manifest or an index.
 * @param which a tag; or a descriptor or digest, which the bytes must have
 * @throws RegistryError `not-found`, `digest-mismatch`, `size-mismatch`, `too-large`, `not-an-image`
 */
export async function getManifest(
  { host, name }: Repository,
  which: { readonly tag: string } | { readonly digest: Digest; readonly size?: number },
  shown: string,
  signal: AbortSignal | undefined,
): Promise<ManifestDocument> {
  const response = await host.send({
    method: 'GET',
    to: `${name}/manifests/${'tag' in which ? which.tag : which.digest}`,
    headers: { accept: ACCEPT },
    scopes: [repositoryScope(name, 'pull')],
    doing: `read ${shown}`,
    expect: [200],
    missing: ({ codes }) =>
      codes.has('NAME_UNKNOWN')
        ? `the registry ${host.name} has no repository ${name}`
        : `the registry ${host.name} has no ${shown}`,
    signal,
  });
  const bytes = await readBody(response, MAX_DOCUMENT, `the manifest of ${shown}`);
  const digest = digestOf(bytes);
  const expected = 'tag' in which ? announcedDigest(response.headers, host.name) : which.digest;
  if (expected !== undefined && expected !== digest) {
    throw new RegistryError(
      'digest-mismatch',
      `the registry ${host.name} sent another manifest of ${shown} than it should: expected ${expected}, got ${digest}`,
    );
  }
  const size = 'tag' in which ? undefined : which.size;
  if (size !== undefined && size !== bytes.length) {
    throw new RegistryError(
      'size-mismatch',
      `the manifest of ${shown} is ${bytes.length} bytes long, not ${size}`,
    );
  }
  const mediaType = mediaTypeOf(response.headers, bytes, shown);
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

/** The digest that the registry says its answer has, if it is one that can be checked. */
function announcedDigest(headers: ResponseHeaders, host: string): Digest | undefined {
  const text = headers.get('docker-content-digest');
  if (text === undefined || /^sha(?:384|512):[0-9a-f]+$/.test(text)) return undefined;
  const digest = parseDigest(text);
  if (digest.ok) return digest.value;
  throw new RegistryError(
    'invalid-response',
    `the registry ${host} names a manifest by what is no digest: ${digest.error}`,
  );
}

/** What the document is: what the registry calls it; where it says nothing of use, what it calls itself. */
function mediaTypeOf(headers: ResponseHeaders, bytes: Uint8Array, shown: string): string {
  const [announced = ''] = (headers.get('content-type') ?? '').split(';');
  const type = announced.trim().toLowerCase();
  const isVague = ['', 'application/json', 'application/octet-stream', 'text/plain'].includes(type);
  const mediaType = isVague ? declaredType(bytes) : type;
  if (isIndexType(mediaType) || isManifestType(mediaType)) return mediaType;
  throw new RegistryError(
    'not-an-image',
    `${shown} is not a container image: its manifest has the media type ${JSON.stringify(mediaType.slice(0, 100))}`,
  );
}

function declaredType(bytes: Uint8Array): string {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const isObject = typeof value === 'object' && value !== null;
    const declared = isObject && 'mediaType' in value ? value.mediaType : undefined;
    if (typeof declared === 'string') return declared;
    if (isObject && 'manifests' in value) return MEDIA_TYPES.ociIndex;
    if (isObject && 'layers' in value) return MEDIA_TYPES.ociManifest;
  } catch {
    // Whoever reads it will say it better.
  }
  return '';
}
