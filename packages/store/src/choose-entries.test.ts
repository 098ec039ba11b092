import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CacheEntry } from './cache-entries.ts';
import { chooseEntries, type Choice } from './choose-entries.ts';
import type { StoreObject } from './objects.ts';

function object(name: string): StoreObject {
  return { kind: 'blob', name, path: `/${name}`, remove: () => Promise.resolve(true) };
}

function entry(
  id: string,
  lastUse: number,
  names: readonly string[],
  rest: Partial<CacheEntry> = {},
): CacheEntry {
  return {
    kind: 'step',
    id,
    title: '',
    objects: names.map(object),
    lastUse,
    created: '',
    isInUse: false,
    ...rest,
  };
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const ids = (entries: readonly CacheEntry[]): string[] => entries.map(({ id }) => id);

function choice(sizes: Readonly<Record<string, number>>, rest: Partial<Choice> = {}): Choice {
  return {
    needed: new Set(),
    held: new Set(),
    sizes: new Map(Object.entries(sizes)),
    mayGo: () => true,
    keepBytes: -1,
    ...rest,
  };
}

describe('entries of the cache', () => {
  test('go whole, the least recently used first, until it is enough', () => {
    const entries = [entry('new', 3, ['c']), entry('old', 1, ['a']), entry('middle', 2, ['b'])];
    const chosen = chooseEntries(entries, choice({ a: 10, b: 10, c: 10 }, { keepBytes: 15 }));
    expect(ids(chosen.entries)).toEqual(['old', 'middle']);
    expect(chosen).toMatchObject({ bytes: 20, left: 10 });
  });

  test('that one build used go from the last made one', () => {
    const entries = [
      entry('first', 1, ['a'], { created: '2026-01-01T00:00:00Z' }),
      entry('second', 1, ['b'], { created: '2026-01-01T00:00:01Z' }),
    ];
    const chosen = chooseEntries(entries, choice({ a: 1, b: 1 }, { keepBytes: 1 }));
    expect(ids(chosen.entries)).toEqual(['second']);
  });

  test('share a blob, which goes with the last of them', () => {
    const entries = [entry('one', 1, ['a', 'shared']), entry('two', 2, ['b', 'shared'])];
    const sizes = { a: 1, b: 1, shared: 100 };
    const first = chooseEntries(entries, choice(sizes, { keepBytes: 101 }));
    expect(first.objects.map(({ name }) => name)).toEqual(['a']);
    const both = chooseEntries(entries, choice(sizes));
    expect(both.objects.map(({ name }) => name)).toEqual(['a', 'b', 'shared']);
  });

  test('leave what named images need, which counts for nothing', () => {
    const entries = [entry('one', 1, ['a', 'layer'])];
    const chosen = chooseEntries(entries, choice({ a: 1, layer: 100 }, { needed: new Set(['layer']) }));
    expect(chosen.objects.map(({ name }) => name)).toEqual(['a']);
    expect(chosen).toMatchObject({ bytes: 1, left: 0 });
  });

  test('keep what is promised, whatever they are', () => {
    const names = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 });
    const entries = fc.array(
      fc.record({ names, lastUse: fc.nat(5), isInUse: fc.boolean(), mayGo: fc.boolean() }),
    );
    const sizes = fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.nat(9)])));
    fc.assert(
      fc.property(
        entries,
        sizes,
        names,
        fc.integer({ min: -1, max: 40 }),
        (drafts, sizeOf, needed, keepBytes) => {
          const all = drafts.map((draft, index) =>
            entry(String(index), draft.lastUse, draft.names, { isInUse: draft.isInUse }),
          );
          const mayGo = ({ id }: CacheEntry): boolean => drafts[Number(id)]?.mayGo === true;
          const chosen = chooseEntries(all, choice(sizeOf, { needed: new Set(needed), mayGo, keepBytes }));
          const gone = new Set(ids(chosen.entries));
          const kept = all.filter(({ id }) => !gone.has(id));
          const keptNames = new Set([
            ...needed,
            ...kept.flatMap(({ objects }) => objects.map(({ name }) => name)),
          ]);
          for (const each of chosen.entries) expect(!each.isInUse && mayGo(each)).toBe(true);
          // Nothing goes that something else needs, and nothing stays that only what went needed.
          const goneNames = chosen.objects.map(({ name }) => name);
          expect(goneNames.filter((name) => keptNames.has(name))).toEqual([]);
          const ofGone = new Set(chosen.entries.flatMap(({ objects }) => objects.map(({ name }) => name)));
          expect(new Set(goneNames)).toEqual(new Set([...ofGone].filter((name) => !keptNames.has(name))));
          // The oldest went, and no more than had to.
          const candidates = kept.filter((each) => !each.isInUse && mayGo(each));
          const newest = Math.max(-1, ...chosen.entries.map(({ lastUse }) => lastUse));
          for (const each of candidates) expect(each.lastUse).toBeGreaterThanOrEqual(newest);
          if (candidates.length > 0) expect(chosen.left).toBeLessThanOrEqual(keepBytes);
          const cached = [...keptNames].filter((name) => !needed.includes(name));
          expect(chosen.left).toBe(cached.reduce((sum, name) => sum + (sizeOf[name] ?? 0), 0));
        },
      ),
    );
  });
});
