import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Digester } from '@caisson/oci';
import { findProgram } from '@caisson/sys';
import { DecompressThread } from './decompress-thread.ts';

/** More than lies between two threads and the program. */
const PLAIN = Buffer.concat([randomBytes(7_000_001), Buffer.alloc(5_000_000, 'x')]);
const WHOLE = gzipSync(PLAIN);

const folder = mkdtempSync(join(tmpdir(), 'caisson-gzip-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/** Bytes of somebody who checks them to their end, and counts them. */
class Source {
  count = 0;
  isClosed = false;

  async *bytes(bytes: Uint8Array, failure?: Error): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0; at < bytes.length; at += 100_000) {
        const piece = bytes.subarray(at, at + 100_000);
        this.count += piece.length;
        yield piece;
      }
      if (failure !== undefined) throw failure;
    } finally {
      this.isClosed = true;
    }
  }
}

/** What the thread says of the bytes, and what they are. */
async function read(source: AsyncIterable<Uint8Array>): Promise<readonly [sum: object, real: object]> {
  await using thread = new DecompressThread(source);
  const pieces: Buffer[] = [];
  for await (const piece of thread.pieces()) pieces.push(Buffer.from(piece));
  return [await thread.sum(), sumOf(Buffer.concat(pieces))];
}

function sumOf(bytes: Uint8Array): object {
  const digester = new Digester();
  digester.update(bytes);
  return { digest: digester.digest(), size: bytes.length };
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

describe.skipIf(findProgram('igzip') === undefined)('igzip, where it is installed', () => {
  test.each([
    ['gzip', WHOLE, PLAIN],
    ['several members of gzip', Buffer.concat([WHOLE, WHOLE]), Buffer.concat([PLAIN, PLAIN])],
    ['gzip and zeros after it', Buffer.concat([WHOLE, Buffer.alloc(3_000_000)]), PLAIN],
    ['gzip of nothing', gzipSync(''), Buffer.alloc(0)],
  ])('gives what is in %s, and its digest', async (_what, compressed, plain) => {
    const source = new Source();
    expect(await read(source.bytes(compressed))).toEqual([sumOf(plain), sumOf(plain)]);
    expect(source).toMatchObject({ count: compressed.length, isClosed: true });
  });

  test.each([
    ['cut off', WHOLE.subarray(0, 5_000_000)],
    [
      'changed',
      Buffer.concat([WHOLE.subarray(0, 3_000_000), Buffer.alloc(100, 1), WHOLE.subarray(3_000_100)]),
    ],
    ['only begun', WHOLE.subarray(0, 12)],
  ])('says that bytes are damaged: %s', async (_what, compressed) => {
    const source = new Source();
    await expect(read(source.bytes(compressed))).rejects.toMatchObject({
      name: 'LayerError',
      code: 'invalid-compression',
      message: 'the compressed bytes are damaged: igzip cannot decompress them',
    });
    expect(source.isClosed).toBe(true);
  });

  test('throws what the source throws', async () => {
    const source = new Source().bytes(WHOLE.subarray(0, 3_000_000), new Error('the line is cut'));
    await expect(read(source)).rejects.toThrow('the line is cut');
  });

  test('is ended by who stops reading, and leaves nothing open', async () => {
    const before = openFiles();
    const source = new Source();
    const stop = async (): Promise<void> => {
      await using thread = new DecompressThread(source.bytes(WHOLE));
      for await (const _piece of thread.pieces()) throw new Error('enough');
    };
    for (let count = 0; count < 3; count++) await expect(stop()).rejects.toThrow('enough');
    await (async () => {
      await using _thread = new DecompressThread(new Source().bytes(WHOLE)); // not read at all
    })();
    await vi.waitFor(() => expect(openFiles()).toBe(before));
    expect(source.isClosed).toBe(true);
  });
});

function program(text: string, mode = 0o755): void {
  writeFileSync(join(folder, 'igzip'), text);
  chmodSync(join(folder, 'igzip'), mode);
}

describe('a program of that name', () => {
  beforeEach(() => vi.stubEnv('PATH', folder));

  test('that cannot be started is done without', async () => {
    for (const mode of [0o755, 0o644]) {
      program('#!/nowhere/sh\n', mode);
      expect(await read(new Source().bytes(WHOLE))).toEqual([sumOf(PLAIN), sumOf(PLAIN)]);
    }
  });

  test('that is killed is no damage of the layer', async () => {
    program('#!/bin/sh\n/usr/bin/head -c 100000\nkill -9 $$\n');
    const failure: unknown = await read(new Source().bytes(WHOLE)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'not-decompressed',
      message: 'igzip, which decompresses it, was ended by SIGKILL',
    });
  });

  test('that starts others is ended with them by who stops reading', { timeout: 20_000 }, async () => {
    program('#!/bin/sh\n/usr/bin/cat | /usr/bin/cat\n');
    const source = new Source();
    const stop = async (): Promise<void> => {
      await using thread = new DecompressThread(source.bytes(WHOLE));
      for await (const _piece of thread.pieces()) throw new Error('enough');
    };
    await expect(stop()).rejects.toThrow('enough');
    expect(source.isClosed).toBe(true);
  });

  test('sees nothing of our environment', async () => {
    vi.stubEnv('TOKEN', 'secret');
    program('#!/bin/sh\n/usr/bin/head -c 1 >/dev/null\nexport -p\n');
    await using thread = new DecompressThread(new Source().bytes(WHOLE));
    let said = '';
    for await (const piece of thread.pieces()) said += Buffer.from(piece).toString();
    expect(said).not.toContain('TOKEN');
    expect(said).toContain('LC_ALL');
  });

  test('is not asked about what is not gzip', async () => {
    program('#!/bin/sh\nexit 1\n');
    expect(await read(new Source().bytes(PLAIN))).toEqual([sumOf(PLAIN), sumOf(PLAIN)]);
  });
});
