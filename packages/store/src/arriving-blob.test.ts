import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import type { ArrivingBlob } from './arriving-blob.ts';
import type { Session } from './session.ts';
import { openStore, type Store } from './store.ts';

let folder: string;
let store: Store;
let session: Session;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-arriving-'));
  store = await openStore(join(folder, 'store'));
  session = store.session();
});
afterEach(async () => {
  await session[Symbol.asyncDispose]();
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const PARTS = ['one, ', 'two, ', 'three'].map((text) => Buffer.from(text));
const WHOLE = Buffer.concat(PARTS);
const EXPECTED = { digest: digestOf(WHOLE), size: WHOLE.length };

/** A stream that gives a part when it is told to. */
function steps(parts: readonly Uint8Array[]): { source: AsyncGenerator<Uint8Array>; go: () => void } {
  let next = Promise.withResolvers<void>();
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const part of parts) {
      await next.promise;
      next = Promise.withResolvers();
      yield part;
    }
  }
  return { source: source(), go: () => next.resolve() };
}

const put = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
  await store.blobs.put(session, source, EXPECTED);
};

async function* all(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(part);
}

async function read(arriving: ArrivingBlob): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of arriving.bytes()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** How many files this process has open. */
const openFiles = (): number => readdirSync('/proc/self/fd').length;

describe('a blob that is brought', () => {
  test('is read as it comes', async () => {
    const { source, go } = steps(PARTS);
    const arriving = store.blobs.bring(EXPECTED.digest, () => put(source));
    const bytes = arriving.bytes();
    for (const part of PARTS) {
      go();
      expect((await bytes.next()).value).toEqual(part);
    }
    expect(store.blobs.size(EXPECTED.digest)).toBeUndefined(); // not before it was checked
    go();
    expect((await bytes.next()).done).toBe(true);
    expect(store.blobs.size(EXPECTED.digest)).toBe(EXPECTED.size);
  });

  test('may have come before it is read, or have been there', async () => {
    const arriving = store.blobs.bring(EXPECTED.digest, () => put(all(PARTS)));
    await arriving.provided;
    expect(await read(arriving)).toBe(WHOLE.toString());
    expect(await read(store.blobs.bring(EXPECTED.digest, () => Promise.resolve()))).toBe(WHOLE.toString());
  });

  test('that turns out to be another one is an error at its end, and is not there', async () => {
    const wrong = [...PARTS.slice(0, 2), Buffer.from('seven')];
    const arriving = store.blobs.bring(EXPECTED.digest, () => put(all(wrong)));
    await expect(read(arriving)).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(arriving.provided).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(store.blobs.size(EXPECTED.digest)).toBeUndefined();
  });

  test('that comes right the second time is to be read again', async () => {
    const wrong = [...PARTS.slice(0, 2), Buffer.from('seven')];
    const provide = (): Promise<void> => put(all(wrong)).catch(() => put(all(PARTS)));
    const arriving = store.blobs.bring(EXPECTED.digest, provide);
    await expect(read(arriving)).rejects.toThrow('the first bytes of');
    expect(arriving.isBroken).toBe(true);
    const again = store.blobs.bring(EXPECTED.digest, () => Promise.resolve());
    expect(await read(again)).toBe(WHOLE.toString());
  });

  test('that cannot be had says why', async () => {
    const arriving = store.blobs.bring(EXPECTED.digest, () => Promise.reject(new Error('out of reach')));
    await expect(read(arriving)).rejects.toThrow('out of reach');
  });

  test('leaves no file open, read or not', async () => {
    await put(all(PARTS)); // the session has its lease from now on
    const before = openFiles();
    await store.blobs.bring(EXPECTED.digest, () => put(all(PARTS))).provided;
    const arriving = store.blobs.bring(EXPECTED.digest, () => put(all(PARTS)));
    const half = arriving.bytes();
    await half.next();
    await half.return(undefined);
    await arriving.provided;
    expect(openFiles()).toBe(before);
  });
});
