import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, childOf, cleanPath, ROOT, type BytePath } from './byte-path.ts';
import type { Entry } from './entry.ts';
import { mergeLayers } from './flatten.ts';
import { parentsOf } from './in-root.ts';
import { Toc } from './toc.ts';
import { ChainView } from './view.ts';

const name = fc.constantFrom('a', 'b', 'c');
const path = fc
  .array(name, { minLength: 1, maxLength: 3 })
  .map((names) => cleanPath(bytesOf(names.join('/'))));
const change = fc.record({ path, what: fc.constantFrom('file', 'folder', 'opaque', 'whiteout') });
const changes = fc.array(fc.array(change, { maxLength: 5 }), { minLength: 1, maxLength: 5 });

let serial = 0;

/** An entry that no other is like: by its size, or its mode. */
function entryFor(at: BytePath, what: 'file' | 'folder' | 'opaque' | 'whiteout'): Entry {
  serial++;
  const attributes = { path: at, mode: 0, uid: serial, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } };
  if (what === 'whiteout') return { type: 'whiteout', path: at };
  if (what === 'file') return { ...attributes, type: 'file', size: 0 };
  return { ...attributes, type: 'directory', ...(what === 'opaque' ? { opaque: true } : {}) };
}

/** A layer as trees hold them: with the folders on the way, and whiteouts only of what is there. */
function layerOn(
  below: ChainView,
  wanted: readonly { path: BytePath; what: Parameters<typeof entryFor>[1] }[],
): Toc {
  const entries = new Map<BytePath, Entry>();
  for (const { path: at, what } of wanted) {
    const parents = parentsOf(at);
    if (parents.some((parent) => (entries.get(parent)?.type ?? 'directory') !== 'directory')) continue;
    if (entries.has(at) || (what === 'whiteout' && below.lookup(at) === undefined)) continue;
    const isHidden = parents.some((parent) => {
      const entry = entries.get(parent);
      return entry?.type === 'directory' && entry.opaque === true;
    });
    if (what === 'whiteout' && isHidden) continue;
    for (const parent of parents) if (!entries.has(parent)) entries.set(parent, entryFor(parent, 'folder'));
    entries.set(at, entryFor(at, what));
  }
  return new Toc([...entries.values()]);
}

/** All that a view shows. */
function shown(view: ChainView, folder: BytePath = ROOT): unknown[] {
  return view.list(folder).flatMap((each) => {
    const at = childOf(folder, each);
    const node = view.lookup(at)?.node;
    return [[at, node?.type, node?.uid], ...shown(view, at)];
  });
}

test('layers that are merged show what they show one on the other', () => {
  fc.assert(
    fc.property(changes, fc.nat(4), (all, count) => {
      const tocs: Toc[] = [];
      for (const wanted of all) tocs.push(layerOn(new ChainView(tocs), wanted));
      const [below, above] = [tocs.slice(0, count), tocs.slice(count)];
      const merged = mergeLayers(new ChainView(below), above).map(({ entry }) => entry);
      expect(shown(new ChainView([...below, new Toc(merged)]))).toEqual(shown(new ChainView(tocs)));
      // A whiteout of nothing would show in a mount.
      const view = new ChainView(below);
      for (const entry of merged)
        if (entry.type === 'whiteout') expect(view.lookup(entry.path)).toBeDefined();
    }),
    { numRuns: 2000 },
  );
});
