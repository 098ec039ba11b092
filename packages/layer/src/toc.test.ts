import { describe, expect, test } from 'vitest';
import { cleanPath, isBelow } from './byte-path.ts';
import type { Entry } from './entry.ts';
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
        version: 2,
        entries: toc.entries.map(({ path }) => [path, 'whiteout']),
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
    for (const notes of ['"looks":[["a",1]]', '"looks":1', '"beyond":["layer-1"]', '"beyond":[1,[]]'])
      expect(() => decodeToc(`{"version":2,"entries":[],${notes}}`)).toThrow('the expected form');
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
