import { readFile, stat } from 'node:fs/promises';
import { buildError } from './failure.ts';
import type { SecretSource } from './request.ts';

const MAX_SECRET = 500 * 1024;

/** Reads the secrets of a build, each when a step needs it. @throws BuildError `missing-secret` */
export function secretReader(
  secrets: Readonly<Record<string, SecretSource>>,
): (id: string) => Promise<Uint8Array | undefined> {
  const sources = new Map(Object.entries(secrets));
  return async (id) => {
    const source = sources.get(id);
    if (source === undefined) return undefined;
    const bytes = await bytesOf(id, source);
    if (bytes.length > MAX_SECRET) throw tooLarge(id);
    return bytes;
  };
}

async function bytesOf(id: string, source: SecretSource): Promise<Uint8Array> {
  switch (source.kind) {
    case 'file':
      return readSecret(id, source.path);
    case 'value':
      return Buffer.from(source.value);
    case 'function':
      return Buffer.from(await source.read());
  }
}

async function readSecret(id: string, path: string): Promise<Uint8Array> {
  try {
    if ((await stat(path)).size > MAX_SECRET) throw tooLarge(id);
    return await readFile(path);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw buildError(
      'missing-secret',
      `the secret ${JSON.stringify(id)} cannot be read: ${path}: ${String(error.code)}`,
    );
  }
}

function tooLarge(id: string): Error {
  return buildError('missing-secret', `the secret ${JSON.stringify(id)} is larger than 500 KB`);
}
