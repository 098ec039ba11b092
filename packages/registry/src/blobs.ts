import type { Descriptor, Digest } from '@caisson/oci';
import { StoreError, type Session, type Store, type StoreErrorCode } from '@caisson/store';
import type { Named } from './sources.ts';
import type { RegistryClient, Repository } from './client.ts';
import { RegistryError } from './errors.ts';
import { refuseEncoding, type HttpResponse } from './transport/http.ts';
import { repositoryScope } from './transport/scope.ts';
import { MONOTONIC } from './transport/throttle.ts';
import type { Timing } from './transport/timing.ts';

/** Asks for the bytes of a blob from an offset on. The answer may be the whole blob (200) or the rest (206). */
export function openBlob(
  { host, name }: Repository,
  digest: Digest,
  offset: number,
  what: string,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  return host.send({
    method: 'GET',
    to: `${name}/blobs/${digest}`,
    headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
    scopes: [repositoryScope(name, 'pull')],
    doing: `read ${what}`,
    expect: offset === 0 ? [200] : [200, 206],
    missing: () => `the registry ${host.name} does not have ${what} (${digest})`,
    signal,
  });
}

/** What says that a registry gave something else than it was asked for, or nothing that can be used. */
const WRONG_BYTES: ReadonlySet<StoreErrorCode> = new Set<StoreErrorCode>([
  'digest-mismatch',
  'size-mismatch',
  'corrupt-blob',
]);

/** What fetching a blob needs. */
export interface FetchBlobOptions {
  readonly store: Store;
  readonly session: Session;
  /** For messages: `a layer of debian:12`. */
  readonly what: string;
  /** Told how many bytes have come so far. */
  readonly onProgress?: ((received: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Fetches a blob into the store, unless it is there. A transfer that breaks off goes on where it ended; size and
 * digest are checked before the blob gets its name; a mirror that gives wrong bytes is passed over.
 * @throws RegistryError, StoreError
 */
export async function fetchBlob(
  client: RegistryClient,
  named: Named,
  descriptor: Descriptor,
  options: FetchBlobOptions,
): Promise<void> {
  const { store, session, what, signal } = options;
  if (await store.blobs.has(session, descriptor.digest)) return;
  await client.read(named, signal, async (repository) => {
    try {
      const bytes = blobBytes(repository, descriptor, client.timing, options);
      await store.blobs.put(session, bytes, descriptor);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (!WRONG_BYTES.has(error.code)) throw error;
      throw new RegistryError(
        error.code === 'size-mismatch' ? error.code : 'digest-mismatch',
        `the registry ${repository.host.name} sent wrong bytes for ${what}: ${error.message}`,
        { cause: error },
      );
    }
  });
}

/** The bytes of a blob as they come, unchecked; a transfer that breaks off goes on where it ended. */
export async function* blobBytes(
  repository: Repository,
  descriptor: Descriptor,
  timing: Timing,
  { what, onProgress, signal }: Pick<FetchBlobOptions, 'what' | 'onProgress' | 'signal'>,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  let triesWithoutProgress = 0;
  for (;;) {
    const from = received;
    try {
      for await (const chunk of rest(repository, descriptor, from, what, signal)) {
        received += chunk.length;
        yield chunk;
        onProgress?.(received);
      }
      // A body that ended early without an error: what is missing may come yet.
      if (received >= descriptor.size || received === from) return;
    } catch (error) {
      if (!isBrokenOff(error)) throw error;
      if (received >= descriptor.size) return; // it broke off after the last byte
      triesWithoutProgress = received === from ? triesWithoutProgress + 1 : 1;
      if (triesWithoutProgress >= timing.tries) throw error;
      await MONOTONIC.sleep(timing.backoff * 2 ** (triesWithoutProgress - 1), signal);
    }
  }
}

function isBrokenOff(error: unknown): boolean {
  return error instanceof RegistryError && (error.code === 'unreachable' || error.code === 'timeout');
}

/** The bytes from an offset on, whatever the registry makes of being asked for a part. */
async function* rest(
  repository: Repository,
  descriptor: Descriptor,
  offset: number,
  what: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const response = await openFrom(repository, descriptor, offset, what, signal);
  refuseEncoding(response);
  let toSkip = offset;
  if (response.status === 206) {
    const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
    if (start !== String(offset)) {
      await response.discard();
      throw new RegistryError(
        'invalid-response',
        `the registry ${repository.host.name} sent another part of ${what} than it was asked for`,
      );
    }
    toSkip = 0;
  }
  for await (const chunk of response.body) {
    if (toSkip >= chunk.length) {
      toSkip -= chunk.length;
      continue;
    }
    yield toSkip === 0 ? chunk : chunk.subarray(toSkip);
    toSkip = 0;
  }
}

/** A layer that its registry does not keep may lie where its descriptor says: no credentials go there. */
async function openFrom(
  repository: Repository,
  { digest, urls = [] }: Descriptor,
  offset: number,
  what: string,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  try {
    return await openBlob(repository, digest, offset, what, signal);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'not-found') throw error;
    for (const text of urls) {
      const url = URL.parse(text);
      if (url === null) continue;
      const response = await repository.host.sendElsewhere(url, {}, signal);
      if (response.status === 200) return response;
      await response.discard();
    }
    throw error;
  }
}
