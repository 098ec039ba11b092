import type { Digest } from '@caisson/oci';
import type { RegistryClient, Repository } from './client.ts';
import { RegistryError } from './errors.ts';
import type { HttpResponse, RequestBody } from './transport/http.ts';
import { repositoryScope } from './transport/scope.ts';
import { MONOTONIC } from './transport/throttle.ts';

/** A blob to send. */
export interface BlobToSend extends RequestBody {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
}

/** How a blob came to be on the other side. */
export type Arrival = 'was-there' | 'mounted' | 'sent';

/**
 * Whether a repository has a blob.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#checking-if-content-exists-in-the-registry
 */
export async function hasBlob(
  { host, name }: Repository,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const response = await host.send({
    method: 'HEAD',
    to: `${name}/blobs/${digest}`,
    scopes: [repositoryScope(name, 'push')],
    doing: `write to ${name}`,
    expect: [200, 404],
    signal,
  });
  await response.discard();
  return response.status === 200;
}

/**
 * Brings a blob to a repository that does not have it: from another repository of the same registry if that works,
 * else by sending it in one request.
 * @param mountFrom repositories of the registry that should have it
 * @throws RegistryError
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
 */
export async function uploadBlob(
  client: RegistryClient,
  repository: Repository,
  blob: BlobToSend,
  mountFrom: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Exclude<Arrival, 'was-there'>> {
  const { tries, backoff } = client.timing;
  for (let attempt = 1; ; attempt++) {
    const from = attempt === 1 ? mountFrom : [];
    const mounted = await mountBlob(repository, blob.digest, from, signal);
    if (mounted === 'mounted') return mounted;
    const location = mounted ?? (await beginUpload(repository, signal));
    try {
      await endUpload(repository, location, blob.digest, blob, client.timing.commit, signal);
      return 'sent';
    } catch (error) {
      await giveUp(repository, location);
      if (!mayWorkLater(error) || attempt >= tries) throw error;
      await MONOTONIC.sleep(backoff * 2 ** (attempt - 1), signal);
    }
  }
}

function mayWorkLater(error: unknown): boolean {
  return error instanceof RegistryError && ['unreachable', 'timeout', 'unavailable'].includes(error.code);
}

const ANNOUNCEMENT = { method: 'POST', headers: { 'content-length': '0' } } as const;

/** How many repositories are asked for a blob. Others may have it; to ask costs the way there and back each time. */
const MOUNT_TRIES = 2;

/**
 * Has a registry take a blob over from another of its repositories.
 * @param mountFrom repositories that should have it
 * @returns where to send the blob where that did not work; undefined where not even that is known
 * @throws RegistryError
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository
 */
export async function mountBlob(
  repository: Repository,
  digest: Digest,
  mountFrom: readonly string[],
  signal: AbortSignal | undefined,
): Promise<'mounted' | URL | undefined> {
  let place: URL | undefined;
  for (const from of mountFrom.slice(0, MOUNT_TRIES)) {
    if (place !== undefined) await giveUp(repository, place);
    const mounted = await tryToMount(repository, digest, from, signal);
    if (mounted === 'mounted') return mounted;
    place = mounted;
  }
  return place;
}

async function tryToMount(
  { host, name }: Repository,
  digest: Digest,
  from: string,
  signal: AbortSignal | undefined,
): Promise<'mounted' | URL | undefined> {
  try {
    const response = await host.send({
      ...ANNOUNCEMENT,
      to: `${name}/blobs/uploads/`,
      query: { mount: digest, from },
      scopes: [repositoryScope(name, 'push'), repositoryScope(from, 'pull')],
      doing: `write to ${name}`,
      expect: [201, 202],
      isRepeatable: false,
      signal,
    });
    await response.discard();
    return response.status === 201 ? 'mounted' : locationOf(response, host.name);
  } catch (error) {
    // Whatever the other repository is in the way of, this one may be written to.
    if (!(error instanceof RegistryError) || error.code === 'aborted') throw error;
    return undefined;
  }
}

/** Announces a blob. @returns where to send it @throws RegistryError */
export async function beginUpload({ host, name }: Repository, signal: AbortSignal | undefined): Promise<URL> {
  const response = await host.send({
    ...ANNOUNCEMENT,
    to: `${name}/blobs/uploads/`,
    scopes: [repositoryScope(name, 'push')],
    doing: `write to ${name}`,
    expect: [202],
    signal,
  });
  await response.discard();
  return locationOf(response, host.name);
}

/**
 * Says what blob was sent, and sends it where that was not done.
 * @param body undefined where all of it was sent
 * @param commitTimeout for the answer, in milliseconds
 * @throws RegistryError
 */
export async function endUpload(
  { host, name }: Repository,
  location: URL,
  digest: Digest,
  body: RequestBody | undefined,
  commitTimeout: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const response = await host.send({
    method: 'PUT',
    to: location,
    query: { digest },
    ...(body === undefined
      ? { headers: { 'content-length': '0' } }
      : { headers: { 'content-type': 'application/octet-stream' }, body }),
    scopes: [repositoryScope(name, 'push')],
    doing: `write to ${name}`,
    expect: [201, 204],
    isRepeatable: false,
    headersTimeout: commitTimeout,
    signal,
  });
  await response.discard();
}

/** Tells the registry that an upload will not be ended. It cleans up by itself too, so a failure does not matter. */
export async function giveUp({ host, name }: Repository, location: URL): Promise<void> {
  try {
    const response = await host.send({
      method: 'DELETE',
      to: location,
      scopes: [repositoryScope(name, 'push')],
      doing: `write to ${name}`,
      expect: [200, 202, 204, 404],
      isRepeatable: false,
      signal: AbortSignal.timeout(2000),
    });
    await response.discard();
  } catch {
    // As said above.
  }
}

/** Where an answer says that a blob, or more of it, is to be sent. @throws RegistryError `invalid-response` */
export function locationOf(response: HttpResponse, registry: string): URL {
  const text = response.headers.get('location');
  const location = text === undefined ? null : URL.parse(text, response.url.href);
  if (location !== null) return location;
  throw new RegistryError('invalid-response', `the registry ${registry} does not say where to send a blob`);
}
