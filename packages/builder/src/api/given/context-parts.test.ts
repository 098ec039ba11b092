import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { ContextTree } from '../build-options.ts';
import type { ContextPart } from '../thread/protocol.ts';
import { partsOfStream, partsOfTree, type GivenParts } from './context-parts.ts';

async function all(parts: GivenParts): Promise<ContextPart[]> {
  const taken: ContextPart[] = [];
  for (let part = await parts.next(); part.kind !== 'end'; part = await parts.next()) taken.push(part);
  return taken;
}

/** Of a caller without types. */
const treeOf: (text: string) => ContextTree = JSON.parse;

async function wrong(file: unknown): Promise<unknown> {
  const tree = treeOf(JSON.stringify({ Dockerfile: 'FROM scratch', src: file }));
  return all(partsOfTree(tree)).catch((error: unknown) => error);
}

describe('the parts of a context', () => {
  test('are small, however large and many its files are', async () => {
    const large = new Uint8Array(1_000_000).fill(7);
    const tree = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`file-${index}`, 'x']));
    const parts = await all(partsOfTree({ ...tree, large }));
    const sizes = parts.map((part) =>
      part.kind === 'pieces'
        ? part.pieces.reduce((sum, piece) => sum + ('bytes' in piece ? piece.bytes.length : 0), 0)
        : 0,
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1 << 18);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(1_001_000);
    const counts = parts.map((part) => (part.kind === 'pieces' ? part.pieces.length : 0));
    expect(Math.max(...counts)).toBeLessThanOrEqual(256);
  });

  test('are copies, of no more than what they are of', async () => {
    const pool = Buffer.from('before secret behind');
    const [part] = await all(partsOfTree({ a: pool.subarray(7, 13) }));
    const piece = part?.kind === 'pieces' ? part.pieces[0] : undefined;
    expect(piece?.kind === 'file' && Buffer.from(piece.bytes.buffer).toString()).toBe('secret');
  });

  test('have the usual permissions where none are given', async () => {
    const time = new Date(5000);
    const parts = await all(
      partsOfTree({
        a: 'text',
        b: { content: 'text', mode: 0o755, mtime: time },
        c: { symlink: 'a', mtime: 6000 },
        d: { folder: true },
      }),
    );
    expect(parts).toMatchObject([
      {
        pieces: [
          { kind: 'file', path: 'a', mode: 0o644, mtime: undefined },
          { kind: 'file', path: 'b', mode: 0o755, mtime: 5000 },
          { kind: 'symlink', path: 'c', target: 'a', mtime: 6000 },
          { kind: 'folder', path: 'd', mode: 0o755 },
        ],
      },
    ]);
  });

  test('are of files by their whole paths', async () => {
    const expected = 'expected: a text, bytes, { content }, { symlink } or { folder: true }';
    expect([
      await wrong({ 'a.txt': 'a', b: 'b' }),
      await wrong({ contents: 'a' }),
      await wrong({ mode: 0o755 }),
      await wrong({}),
      await wrong(['a']),
      await wrong(5),
    ]).toMatchObject(
      [
        `options.context["src"] is an object\n${expected}\ndid you mean { "src/a.txt": ... }?`,
        `options.context["src"] is an object\n${expected}`,
        `options.context["src"] is an object\n${expected}`,
        `options.context["src"] is an object\n${expected}`,
        `options.context["src"] is a list\n${expected}`,
        `options.context["src"] is 5\n${expected}`,
      ].map((message) => ({ code: 'invalid-request', message })),
    );
  });

  test('of a stream are bytes; those of entries are files', async () => {
    const bytes = await all(partsOfStream(Readable.from([Buffer.from('a'), Buffer.from('b')])));
    expect(bytes.map(({ kind }) => kind)).toStrictEqual(['bytes', 'bytes']);
    const files = await all(partsOfStream(Readable.from([{ path: 'a', content: 'a' }])));
    expect(files.map(({ kind }) => kind)).toStrictEqual(['pieces']);
  });

  test('of a stream that is both or neither are refused', async () => {
    const mixed = partsOfStream(Readable.from([Buffer.from('a'), { path: 'a', content: 'a' }]));
    await expect(all(mixed)).rejects.toThrow(/^it gave bytes of an archive as well as entries$/);
    await expect(all(partsOfStream(Readable.from([5])))).rejects.toThrow(
      /^entry 0 of options.context is neither bytes nor an entry with a path$/,
    );
    await expect(all(partsOfStream(Readable.from([{ path: 'a', content: 5 }])))).rejects.toThrow(
      /^entry 0 of options.context is an object\nexpected: a text, bytes, \{ content \}, \{ symlink \} or \{ folder: true \}$/,
    );
  });

  test('are taken no more when they are not wanted, and their source hears of it', async () => {
    let ended = 0;
    const endless = (async function* () {
      try {
        for (;;) yield await Promise.resolve({ path: `file-${ended}`, content: '' });
      } finally {
        ended++;
      }
    })();
    const parts = partsOfStream(endless);
    await parts.next();
    parts.stop();
    await new Promise(setImmediate);
    expect(ended).toBe(1);
    const silent = new Readable({ read() {} });
    const waiting = partsOfStream(silent);
    void waiting.next().catch(() => {});
    waiting.stop();
    expect(silent.destroyed).toBe(true);
  });
});
