import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { cleanPath, isBelow } from './byte-path.ts';
import type { Entry } from './entry.ts';
import { LayerError } from './errors.ts';
import { decodeToc, encodeToc, Toc, tocPieces } from './toc.ts';

function tocOf(count: number): Toc {
  return new Toc(
    Array.from({ length: count }, (_, number): Entry => ({
      type: 'whiteout',
      path: cleanPath(`file-${number}`),
    })),
  );
}

describe('the form of a table of contents on disk', () => {
  test.each([0, 1, 999, 1000, 1001, 2000])(
    'is one document, however many pieces it is written in: %i',
    (count) => {
      const toc = tocOf(count);
      const text = [...tocPieces(toc)].join('');
      expect(JSON.parse(text)).toEqual({
        version: 3,
        entries: toc.entries.map(({ path }) => [path, 'whiteout']),
        check: crc32(text.slice(0, text.lastIndexOf(','))),
      });
      expect(encodeToc(toc)).toBe(text);
      expect(decodeToc(text).entries).toEqual(toc.entries);
    },
  );

  test('has what is noted beside the entries', () => {
    const looks = new Map([[cleanPath('a'), 'so']]);
    const beyond = { base: 'layer-1', paths: [cleanPath('a'), cleanPath('a/b')] };
    for (const notes of [{}, { looks }, { beyond }, { looks, beyond }])
      expect(decodeToc(encodeToc(new Toc([], notes))).notes).toEqual(notes);
    for (const notes of ['"looks":[["a",1]]', '"looks":1', '"beyond":["layer-1"]', '"beyond":[1,[]]']) {
      const unchecked = `{"version":3,"entries":[],${notes}`;
      const text = `${unchecked},"check":${crc32(unchecked)}}`;
      expect(() => decodeToc(text)).toThrow('the expected form');
    }
  });

  test('is none where any one bit of it is another', () => {
    const seen = { mode: 0o755, uid: 0, gid: 0, mtime: { seconds: 1_600_000_000, nanoseconds: 0 } };
    const toc = new Toc(
      [
        { ...seen, type: 'directory', path: cleanPath('d'), opaque: true },
        {
          ...seen,
          type: 'file',
          path: cleanPath('d/f'),
          size: 1,
          offset: 512,
          xattrs: new Map([['user.a', Buffer.of(1)]]),
        },
        { ...seen, type: 'symlink', path: cleanPath('é'), target: '/d' },
      ],
      { looks: new Map([[cleanPath('d'), 'so']]), beyond: { base: 'layer-1', paths: [cleanPath('d')] } },
    );
    const bytes = Buffer.from(encodeToc(toc));
    expect(decodeToc(bytes.toString()).entries).toEqual(toc.entries);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decodeToc(flipped.toString())).toThrow(LayerError);
    }
  });

  test('has no piece that grows with the layer', () => {
    const longest = Math.max(...[...tocPieces(tocOf(5000))].map((piece) => piece.length));
    expect(longest).toBeLessThan(encodeToc(tocOf(5000)).length / 4);
  });
});

describe('what a table of contents has below a folder', () => {
  const paths = ['a', 'a!', 'a-b', 'a/b', 'a/b/c', 'a/z', 'a0', 'ab', 'ab/c', 'b'].map((path) =>
    cleanPath(path),
  );
  const toc = new Toc(paths.map((path): Entry => ({ type: 'whiteout', path })));

  test.each(['', ...paths, 'c', 'a/b/c/d'])('is what lies there, at whatever depth: %j', (text) => {
    const folder = cleanPath(text);
    expect(toc.below(folder).map(({ path }) => path)).toEqual(paths.filter((path) => isBelow(path, folder)));
  });
});
