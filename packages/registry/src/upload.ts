import type { Digest } from '@caisson/oci';
import type { RegistryClient, Repository } from './client.ts';
import { RegistryError } from './errors.ts';
import type { HttpResponse, RequestBody } from './transport/http.ts';
import { repositoryScope } from './transport/scope.ts';
import { MONOTONIC } from './transport/throttle.ts';

/** A blob to send. */
export interface BlobToSend extends RequestBody {
  readonly digest: Digest;
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
 * @param mountFrom repositories of the registry that are known to have it
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
    const location = await begin(repository, blob.digest, attempt === 1 ? mountFrom[0] : undefined, signal);
    if (location === undefined) return 'mounted';
    try {
      await send(repository, blob, location, client.timing.commit, signal);
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

/** @returns where to send the blob; undefined where it was mounted */
async function begin(
  { host, name }: Repository,
  digest: Digest,
  from: string | undefined,
  signal: AbortSignal | undefined,
): Promise<URL | undefined> {
  const own = repositoryScope(name, 'push');
  const request = {
    method: 'POST',
    to: `${name}/blobs/uploads/`,
    headers: { 'content-length': '0' },
    doing: `write to ${name}`,
    signal,
  } as const;
  if (from !== undefined) {
    try {
      const response = await host.send({
        ...request,
        query: { mount: digest, from },
        scopes: [own, repositoryScope(from, 'pull')],
        expect: [201, 202],
      });
      await response.discard();
      return response.status === 201 ? undefined : locationOf(response, host.name);
    } catch (error) {
      // Not to be allowed to read the other repository is no reason not to write to this one.
      const isRefusal =
        error instanceof RegistryError &&
        ['unauthorized', 'denied', 'not-found', 'rejected'].includes(error.code);
      if (!isRefusal) throw error;
    }
  }
  const response = await host.send({ ...request, scopes: [own], expect: [202] });
  await response.discard();
  return locationOf(response, host.name);
}

async function send(
  { host, name }: Repository,
  blob: BlobToSend,
  location: URL,
  commitTimeout: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const response = await host.send({
    method: 'PUT',
    to: location,
    query: { digest: blob.digest },
    headers: { 'content-type': 'application/octet-stream' },
    body: blob,
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
async function giveUp({ host, name }: Repository, location: URL): Promise<void> {
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

function locationOf(response: HttpResponse, registry: string): URL {
  const text = response.headers.get('location');
  const location = text === undefined ? null : URL.parse(text, response.url.href);
  if (location !== null) return location;
  throw new RegistryError('invalid-response', `the registry ${registry} does not say where to send a blob`);
}
