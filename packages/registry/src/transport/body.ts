import { RegistryError } from '../errors.ts';
import { refuseEncoding, type HttpResponse } from './http.ts';

/** The largest manifest, index or config that is read. */
export const MAX_DOCUMENT = 4 * 1024 * 1024;
/** The largest answer of a token server. */
export const MAX_TOKEN_ANSWER = 1024 * 1024;
const MAX_ERROR_BODY = 64 * 1024;

/**
 * Reads a body that is kept in memory, up to a limit in bytes. Beyond it the connection is closed.
 * @param what for the message: `the manifest of debian:12`
 * @throws RegistryError `too-large`, and what the connection throws
 */
export async function readBody(response: HttpResponse, limit: number, what: string): Promise<Uint8Array> {
  refuseEncoding(response);
  const announced = Number(response.headers.get('content-length') ?? '0');
  const chunks: Uint8Array[] = [];
  let size = announced > limit ? announced : 0;
  if (size === 0) {
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > limit) break;
      chunks.push(chunk);
    }
  }
  if (size <= limit) return Buffer.concat(chunks);
  await response.discard();
  throw new RegistryError('too-large', `${what} is larger than ${limit / 1024 / 1024} MiB`);
}

/** Reads the beginning of the body of a failure. It is of use for its words only: a second failure does not matter. */
export async function readErrorBody(response: HttpResponse): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    refuseEncoding(response);
    for await (const chunk of response.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ERROR_BODY) break;
    }
  } catch {
    return new Uint8Array();
  }
  return Buffer.concat(chunks).subarray(0, MAX_ERROR_BODY);
}
