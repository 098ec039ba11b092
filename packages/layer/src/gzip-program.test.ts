import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Digester } from '@caisson/oci';
import { findProgram } from '@caisson/sys';
import { DecompressThread } from './decompress-thread.ts';
import { readTar } from './read-tar.ts';

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

  test.each([
    ['kill -9 $$', 'was ended by SIGKILL'],
    ['exit 127', 'ended with exit code 127'], // a library of it is missing
  ])('that does not come to an end of its own (%s) is no damage of the layer', async (end, how) => {
    program(`#!/bin/sh\n/usr/bin/head -c 100000\n${end}\n`);
    const failure: unknown = await read(new Source().bytes(WHOLE)).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'not-decompressed',
      message: `igzip, which decompresses it, ${how}`,
    });
  });

  test('that waits does not keep the process from ending', { timeout: 20_000 }, async () => {
    program('#!/bin/sh\nexec /usr/bin/sleep 30\n');
    const child = `
      const { DecompressThread } = await import(${JSON.stringify(new URL('./decompress-thread.ts', import.meta.url).href)});
      async function* source() { yield Buffer.from([0x1f, 0x8b, 8, 0]); await new Promise(() => {}); }
      const thread = new DecompressThread(source());
      setTimeout(() => process.exit(3), 1500);
      for await (const piece of thread.pieces());`;
    writeFileSync(join(folder, 'child.mjs'), child);
    const options = { reject: false, timeout: 10_000 };
    const { exitCode } = await execa(process.execPath, [join(folder, 'child.mjs')], options);
    expect(exitCode).toBe(3);
  });

  test('that takes and gives nothing is ended by a signal', { timeout: 20_000 }, async () => {
    program('#!/bin/sh\nkill -STOP $$\n');
    const before = openFiles();
    const [source, ended] = [new Source(), new AbortController()];
    const options = { isLarge: true, signal: ended.signal };
    const reading = readTar(source.bytes(WHOLE), options, () => {});
    await vi.waitFor(() => expect(source.count).toBeGreaterThan(1 << 20)); // it is full to the brim
    ended.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    expect(source.isClosed).toBe(true);
    await vi.waitFor(() => expect(openFiles()).toBe(before));
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
