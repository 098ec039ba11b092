import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { extract, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import { applyLayer } from './apply.ts';
import { bytesOf, cleanPath, compareBytes, hostPath, textOf } from './byte-path.ts';
import type { Entry } from './entry.ts';
import { LayerError } from './errors.ts';
import { LayerWriter } from './layer-writer.ts';
import { ChainView } from './view.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-tar-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (text: string) => cleanPath(bytesOf(text));
const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 1_700_000_000, nanoseconds: 0 } };

async function* chunks(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

function write(entries: readonly { entry: Entry; content?: string }[]): { bytes: Buffer; diffId: string } {
  const file = join(folder, `${Math.random()}.tar`);
  const writer = new LayerWriter(hostPath(file));
  for (const { entry, content = '' } of entries) {
    if (entry.type === 'file') writer.addFile(entry, { kind: 'bytes', bytes: Buffer.from(content) });
    else if (entry.type !== 'hardlink') writer.add(entry);
  }
  const { diffId } = writer.finish();
  return { bytes: readFileSync(file), diffId };
}

async function read(bytes: Uint8Array): Promise<readonly Entry[]> {
  const { toc, diffId } = await applyLayer({ source: chunks(bytes), below: new ChainView([]) });
  expect(diffId).toBe(digestOf(bytes));
  return [...toc.entries];
}

/** A tar by tar-stream. */
async function packed(
  entries: readonly (Parameters<ReturnType<typeof pack>['entry']>[0] & { body?: string })[],
): Promise<Buffer> {
  const tar = pack();
  for (const { body = '', ...header } of entries) tar.entry({ mtime: new Date(0), ...header }, body);
  tar.finalize();
  return buffer(tar);
}

const name = fc
  .array(fc.string({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.map((part) => part.replaceAll(/[/\0]/g, '_')).join('/'))
  .filter((text) => !/(?:^|\/)(?:\.{1,2}|\.wh\..*)(?:\/|$)/.test(text));

describe('tars that we write', () => {
  test('are read by tar-stream as what they say', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(name, fc.string({ maxLength: 2000 })), {
          selector: ([text]) => text,
          maxLength: 8,
        }),
        fc.nat(0o7777),
        fc.nat(2 ** 21 - 1), // beyond, PAX says it, which tar-stream does not read
        async (files, mode, uid) => {
          const sorted = files
            .map(([text, content]) => ({ path: path(text), content }))
            .toSorted((a, b) => compareBytes(a.path, b.path));
          const { bytes } = write(
            sorted.map(({ path: at, content }) => ({
              entry: {
                ...attributes,
                type: 'file',
                path: at,
                mode,
                uid,
                gid: uid,
                size: Buffer.byteLength(content),
              },
              content,
            })),
          );
          const seen: unknown[] = [];
          const reader = extract();
          Readable.from([bytes]).pipe(reader);
          for await (const entry of reader) {
            const { header } = entry;
            seen.push([header.name, (await buffer(entry)).toString(), header.mode, header.uid, header.gid]);
          }
          expect(seen).toEqual(sorted.map((each) => [textOf(each.path), each.content, mode, uid, uid]));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('are a function of their entries, and read back as them', async () => {
    const entries: Entry[] = [
      { ...attributes, type: 'directory', path: path('a'), mode: 0o1777 },
      { ...attributes, type: 'symlink', path: path('a/link'), mode: 0o777, target: '../../outside' },
      { ...attributes, type: 'fifo', path: path('a/pipe') },
      { ...attributes, type: 'char', path: path('b'), major: 1, minor: 3 },
      {
        ...attributes,
        type: 'file',
        path: path('c'),
        size: 0,
        uid: 3_000_000,
        mtime: { seconds: 5, nanoseconds: 123_456_789 },
        xattrs: new Map([['user.x', Buffer.from([0, 255, 10, 61])]]),
      },
    ];
    const first = write(entries.map((entry) => ({ entry })));
    expect(write(entries.map((entry) => ({ entry }))).bytes.equals(first.bytes)).toBe(true);
    expect(await read(first.bytes)).toMatchObject(entries);
  });

  test('must be sorted', () => {
    const file = { ...attributes, type: 'file', size: 0 } as const;
    expect(() =>
      write([{ entry: { ...file, path: path('b') } }, { entry: { ...file, path: path('a') } }]),
    ).toThrow(/Internal error/);
  });
});

describe('tars of others', () => {
  test('are read in any compression, in pieces of any size', async () => {
    const bytes = await packed([
      { name: 'folder/', type: 'directory' },
      { name: 'folder/file', body: 'content' },
    ]);
    for (const compressed of [bytes, gzipSync(bytes), zstdCompressSync(bytes)]) {
      for (const size of [1, 511, 100_000]) {
        const { toc } = await applyLayer({ source: chunks(compressed, size), below: new ChainView([]) });
        expect(toc.entries.map((entry) => entry.path)).toEqual(['folder', 'folder/file']);
      }
    }
  });

  test('of tar-stream give what it was given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), async (names) => {
        const bytes = await packed(names.map((each) => ({ name: each, body: each })));
        const files = (await read(bytes)).filter((entry) => entry.type === 'file');
        for (const file of files) expect(file.size).toBe(Buffer.byteLength(textOf(file.path)));
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ['../outside', 'climbs'],
    ['a/../../outside', 'climbs'],
    ['.wh.', 'whiteout'],
    ['.wh...', 'whiteout'],
  ])('with the name %s are refused', async (bad) => {
    const bytes = await packed([{ name: bad, body: 'x' }]);
    await expect(read(bytes)).rejects.toThrow(LayerError);
  });

  test('an absolute name is one from the root', async () => {
    const [entry] = await read(await packed([{ name: '/etc', body: 'x' }]));
    expect(entry?.path).toBe('etc');
  });

  test.each([
    ['cut short in a header', (bytes: Buffer) => bytes.subarray(0, 300)],
    ['cut short in a file', (bytes: Buffer) => bytes.subarray(0, 520)],
    ['with a wrong checksum', (bytes: Buffer) => Buffer.from(bytes).fill('9', 148, 154)],
    ['with a negative size', (bytes: Buffer) => Buffer.from(bytes).fill(0xff, 124, 136)],
    ['that is no tar', () => Buffer.alloc(2048, 'x')],
  ])('%s are refused', async (_what, damage) => {
    const bytes = await packed([{ name: 'file', body: 'x'.repeat(600) }]);
    await expect(read(damage(bytes))).rejects.toThrow(LayerError);
  });

  test.each([
    ['all that fills the last block of its last file', 512 + 600],
    ['some of that', 512 + 700],
    ['the blocks of zeros at its end', 512 + 1024],
    ['one of the two', 512 + 1536],
  ])('may lack %s', async (_what, length) => {
    const bytes = await packed([{ name: 'file', body: 'x'.repeat(600) }]);
    expect(await read(bytes.subarray(0, length))).toMatchObject([{ path: 'file', size: 600 }]);
  });

  test('never anything but a LayerError comes of noise', async () => {
    const bytes = await packed([
      { name: 'a/b', body: 'x'.repeat(600) },
      { name: 'l', type: 'link', linkname: 'a/b' },
    ]);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = value;
        try {
          await applyLayer({ source: chunks(damaged), below: new ChainView([]) });
        } catch (error) {
          expect(error).toBeInstanceOf(LayerError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a device that overlayfs takes for a whiteout is refused', async () => {
    const bytes = await packed([{ name: 'd', type: 'character-device', devmajor: 0, devminor: 0 }]);
    await expect(read(bytes)).rejects.toThrow(LayerError);
  });

  test('what a hard link says of a file holds for all of its names: the last has its way', async () => {
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    const { uid, gid } = statSync(folder);
    const owner = { uid, gid };
    const bytes = await packed([
      { ...owner, name: 'a', mode: 0o644, body: 'x' },
      { ...owner, name: 'b', mode: 0o600, type: 'link', linkname: 'a' },
      { ...owner, name: 'c', mode: 0o755, mtime: new Date(5000), type: 'link', linkname: 'b' },
    ]);
    const { toc } = await applyLayer({
      source: chunks(bytes),
      below: new ChainView([]),
      tree: hostPath(tree),
      contentBelow: () => {
        throw new Error('nothing is below');
      },
    });
    expect(toc.entries).toMatchObject([
      { path: 'a', type: 'file', mode: 0o755, mtime: { seconds: 5 } },
      { path: 'b', type: 'hardlink', target: 'a' },
      { path: 'c', type: 'hardlink', target: 'a' },
    ]);
    expect(statSync(join(tree, 'a'))).toMatchObject({ mode: 0o100755, nlink: 3, mtimeMs: 5000 });
  });

  test('a symlink has the mode of all symlinks, whatever the tar says', async () => {
    const [entry] = await read(await packed([{ name: 'l', type: 'symlink', linkname: 'a', mode: 0o644 }]));
    expect(entry).toMatchObject({ type: 'symlink', mode: 0o777 });
  });

  test('a hard link to what is not there is refused', async () => {
    await expect(read(await packed([{ name: 'l', type: 'link', linkname: 'gone' }]))).rejects.toThrow(
      LayerError,
    );
    await expect(
      read(await packed([{ name: 'l', type: 'link', linkname: '../../etc/passwd' }])),
    ).rejects.toThrow(LayerError);
  });
});
