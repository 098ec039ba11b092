import { bytesOf, ChainView, cleanPath, parentsOf, Toc, type Entry } from '@caisson/layer';
import { canonicalJson, digestOf, type Digest, type Json } from '@caisson/oci';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selectSource } from '../copy/select-sources.ts';
import { selectionDigest } from '../copy/selection-digest.ts';
import { ViewTree } from '../copy/view-tree.ts';
import { KeyParts } from '../solve/key-parts.ts';
import type { FileChange } from '../solve/miss-reason.ts';
import { compareSelections } from './compare-selections.ts';
import { partReader } from './explain-miss.ts';

interface Thing {
  readonly type: 'file' | 'directory' | 'symlink';
  /** The content of a file, the target of a link. */
  readonly text: string;
  readonly mode: number;
  readonly owner: number;
}

type Things = ReadonlyMap<string, Thing>;

const NEVER = new AbortController().signal;

const name = fc.constantFrom('a', 'b', 'ü', 'sub');
const thing: fc.Arbitrary<Thing> = fc.record({
  type: fc.constantFrom('file', 'directory', 'symlink'),
  text: fc.constantFrom('one', 'two', 'longer'),
  mode: fc.constantFrom(0o644, 0o755, 0o4755),
  owner: fc.constantFrom(0, 5),
});
/** Files by path; what is above something is a folder. */
const things: fc.Arbitrary<Things> = fc
  .array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), thing), { minLength: 1, maxLength: 12 })
  .map((all) => {
    const found = new Map<string, Thing>();
    for (const [names, each] of all) {
      const path = names.join('/');
      const above = parentsOf(cleanPath(path));
      if (
        found.has(path) ||
        above.some((folder) => found.get(folder)?.type !== 'directory' && found.has(folder))
      )
        continue;
      for (const folder of above)
        if (!found.has(folder)) found.set(folder, { type: 'directory', text: '', mode: 0o755, owner: 0 });
      found.set(path, each);
    }
    return found;
  });

function entryOf([path, { type, text, mode, owner }]: readonly [string, Thing]): Entry {
  const common = {
    path: cleanPath(bytesOf(path)),
    mode,
    uid: owner,
    gid: owner,
    mtime: { seconds: 1, nanoseconds: 0 },
  };
  if (type === 'file') return { ...common, type, size: text.length, digest: digestOf(text) };
  return type === 'symlink' ? { ...common, type, target: text } : { ...common, type };
}

async function select(all: Things, parts: KeyParts): Promise<Digest> {
  const view = new ChainView([new Toc([...all].map(entryOf))]);
  const tree = new ViewTree('the test', view, () => Promise.reject(new Error('nothing is read here')));
  const selected = selectSource(tree, '.');
  if (!selected.ok) throw new Error(selected.error.reason);
  return selectionDigest(tree, selected.value, parts, NEVER);
}

/** What is told of two selections of everything. */
async function compare(before: Things, after: Things): Promise<FileChange[] | undefined> {
  const parts = new KeyParts();
  const [old, now] = [await select(before, parts), await select(after, parts)];
  return compareSelections(
    old,
    now,
    ['/'],
    partReader((digest) => parts.texts.get(digest)),
  );
}

const octal = (mode: number): string => `0${mode.toString(8)}`;

/** Another of something, and what of it is told. */
function others({
  type,
  text,
  mode,
  owner,
}: Thing): { readonly thing: Thing; readonly fields: FileChange['fields'] }[] {
  const own = { type, text, mode, owner };
  const found = [
    {
      thing: { ...own, owner: 7 },
      fields: [{ field: 'owner', before: `${owner}:${owner}`, after: '7:7' } as const],
    },
  ];
  if (type === 'symlink') {
    const fields = [{ field: 'target', before: text, after: 'other' } as const];
    return [...found, { thing: { ...own, text: 'other' }, fields }];
  }
  const fields = [{ field: 'mode', before: octal(mode), after: '0600' } as const];
  const moded = [...found, { thing: { ...own, mode: 0o600 }, fields }];
  if (type === 'directory') return moded;
  return [
    ...moded,
    { thing: { ...own, text: `${text}!` }, fields: [{ field: 'content' } as const] },
    { thing: { ...own, text: [...text].toReversed().join('') }, fields: [{ field: 'content' } as const] },
    {
      thing: { ...own, type: 'symlink' },
      fields: [{ field: 'type', before: 'file', after: 'symlink' } as const],
    },
  ];
}

describe('selections', () => {
  test('that are the same have no change', async () => {
    await fc.assert(
      fc.asyncProperty(things, async (all) => {
        const another = new Map([...all].toReversed());
        expect(await compare(all, another)).toEqual([]);
      }),
    );
  });

  test('with one edit have exactly that one', async () => {
    await fc.assert(
      fc.asyncProperty(things, fc.nat(), fc.nat(), async (all, which, how) => {
        const [path, before] = [...all][which % all.size] ?? [];
        if (path === undefined || before === undefined) return;
        const changed = others(before);
        const other = changed[how % changed.length];
        if (other === undefined) return;
        const after = new Map([...all, [path, other.thing]]);
        expect(await compare(all, after)).toEqual([{ path, change: 'changed', fields: other.fields }]);
      }),
    );
  });

  test('with something less or more say what, and no more than that', async () => {
    await fc.assert(
      fc.asyncProperty(things, fc.nat(), async (all, which) => {
        const [path, gone] = [...all][which % all.size] ?? [];
        if (path === undefined || gone === undefined) return;
        const less = new Map([...all].filter(([each]) => each !== path && !each.startsWith(`${path}/`)));
        const title = gone.type === 'directory' ? `${path}/` : path;
        expect(await compare(all, less)).toEqual([{ path: title, change: 'removed', fields: [] }]);
        expect(await compare(less, all)).toEqual([{ path: title, change: 'added', fields: [] }]);
      }),
    );
  });
});

/** Two folders that hold the same two again. */
const many = (digest: Digest): Json => [
  ['a', 'directory', 493, digest],
  ['b', 'directory', 493, digest],
];

describe('lists of another machine', () => {
  const [OLD, NOW] = [digestOf('old'), digestOf('now')];
  const told = (old: Json | undefined, now: Json | undefined): FileChange[] | undefined =>
    compareSelections(OLD, NOW, [], (digest) => (digest === OLD ? old : now));

  test.each<[Json | undefined]>([
    [undefined],
    [null],
    [5],
    ['text'],
    [{}],
    [[5]],
    [['a']],
    [[5, 'file']],
    [[['a', 5]]],
    [[['a', 'file', 420], null]],
  ])('%j is none', (list) => {
    expect(told(list, [])).toBeUndefined();
    expect(told([], list)).toBeUndefined();
  });

  test.each<[Json, FileChange['fields']]>([
    [
      ['a', 'file'],
      [{ field: 'mode', before: '0644', after: '0NaN' }, { field: 'content' }],
    ],
    [['a', 'directory', 493, 'nothing'], [{ field: 'type', before: 'file', after: 'directory' }]],
    [
      ['a', 'file', 420, 1, 'x', { owner: { toString: 1 } }, { xattrs: { toString: 1 } }],
      [{ field: 'xattrs', after: '{"toString":1}' }],
    ],
    [['a', 'file', 420, 1, 'x', { __proto__: null, constructor: 1 }], []],
    [['a', 'unheard-of', {}, []], [{ field: 'type', before: 'file', after: 'unheard-of' }]],
  ])('an item %j is compared as far as it goes', (item, fields) => {
    const changes = fields.length === 0 ? [] : [{ path: 'a', change: 'changed', fields }];
    expect(told([['a', 'file', 420, 1, 'x']], [item])).toEqual(changes);
  });

  test('that go round in a circle, or down without end, are not followed for ever', () => {
    const round = (digest: Digest): Json => [['d', 'directory', 493, digest === OLD ? OLD : NOW]];
    const [change, ...more] = compareSelections(OLD, NOW, [], round) ?? [];
    expect(more).toEqual([]);
    expect(change).toMatchObject({ change: 'changed', fields: [{ field: 'content' }] });
  });

  test('that are as many as 2 to the power of their depth are not all entered', () => {
    expect(compareSelections(OLD, NOW, [], many)?.length).toBeGreaterThan(0);
  });

  test('are none where they are not what their digest says, or no JSON', () => {
    expect(partReader(() => 'old')(OLD)).toBeUndefined(); // its digest is right
    expect(partReader(() => '[]')(OLD)).toBeUndefined();
    expect(partReader(() => undefined)(OLD)).toBeUndefined();
    expect(partReader(() => canonicalJson([1]))(digestOf(canonicalJson([1])))).toEqual([1]);
  });
});
