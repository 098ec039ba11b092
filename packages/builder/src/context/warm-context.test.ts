import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIgnoreMatcher } from '@caisson/parser';
import { array, assert, asyncProperty, constantFrom } from 'fast-check';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ExcludingTree } from '../copy/excluding-tree.ts';
import { everythingIn, selectSource } from '../copy/select-sources.ts';
import { selectionDigest } from '../copy/selection-digest.ts';
import { KeyParts } from '../solve/key-parts.ts';
import { LocalContext } from './local-context.ts';
import { NO_MEMORY } from './stat-cache.ts';
import { editFolder, fillFolder, FOLDER_EDIT } from './testing/folder-edits.ts';

vi.mock(import('node:fs'), { spy: true });

const parent = mkdtempSync(join(tmpdir(), 'caisson-warm-'));
afterAll(() => rmSync(parent, { recursive: true }));
const NEVER = new AbortController().signal;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(parent, 'context-'));
});

function open(ignore = ''): LocalContext {
  const rules = { ...createIgnoreMatcher(ignore), path: '.dockerignore', text: ignore };
  return new LocalContext('the test', folder, rules, NO_MEMORY);
}

/** All that sources take: what it counts as, each thing with its times, and the lists by digest. */
async function taken(
  context: LocalContext,
  sources: readonly string[],
  exclude?: string,
): Promise<{ readonly seen: unknown; readonly parts: KeyParts }> {
  const parts = new KeyParts();
  const options = exclude === undefined ? {} : { exclude: createIgnoreMatcher(exclude) };
  const seen: unknown[] = [];
  for (const source of sources) {
    const found = selectSource(context, source, options);
    if (!found.ok) {
      seen.push(found.error);
      continue;
    }
    const digest = await selectionDigest(context, found.value, parts, NEVER);
    const entries = found.value.flatMap(({ tree, node }) => [...everythingIn(tree, node)]);
    seen.push(
      digest,
      ...entries.map(({ entry }) => entry),
      ...(await context.digests(filesOf(entries), NEVER)),
    );
  }
  return { seen, parts };
}

function filesOf(entries: ReturnType<LocalContext['children']>): ReturnType<LocalContext['children']> {
  return entries.filter(({ entry }) => entry.type === 'file');
}

const SOURCES = ['.', 'a/b', '*/*', '**/c'];
const EXCLUDE = 'c\nb/a';

describe('a context that is told what changed', () => {
  test('is as one that is looked at anew, whatever was done', async () => {
    const edits = array(FOLDER_EDIT, { minLength: 1, maxLength: 6 });
    const rules = constantFrom('', '', 'b\n!b/c', '**/a\n!a/b', '*\n!*/c');
    await assert(
      asyncProperty(array(edits, { minLength: 2, maxLength: 5 }), rules, async (rounds, ignore) => {
        folder = mkdtempSync(join(parent, 'context-'));
        fillFolder(folder);
        const warm = open(ignore);
        await taken(warm, SOURCES, EXCLUDE);
        for (const round of rounds) {
          warm.refresh(round.flatMap((edit) => editFolder(folder, edit)));
          for (const exclude of [undefined, EXCLUDE]) {
            const expected = await taken(open(ignore), SOURCES, exclude);
            const found = await taken(warm, SOURCES, exclude);
            expect(found.seen).toEqual(expected.seen);
            expect(found.parts.texts).toEqual(expected.parts.texts);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('looks at what changed, at the folders above it, and at nothing else', async () => {
    for (const name of ['a', 'b', 'c'])
      for (const number of Array(50).keys()) {
        mkdirSync(join(folder, name, `deep-${number % 5}`), { recursive: true });
        writeFileSync(join(folder, name, `deep-${number % 5}`, `file-${number}`), `${number}`);
      }
    const context = open();
    await taken(context, ['.'], 'none');
    const counted = async (
      changed: string[],
    ): Promise<{ readonly stats: number; readonly lists: number }> => {
      vi.mocked(lstatSync).mockClear();
      vi.mocked(readdirSync).mockClear();
      context.refresh(changed);
      await taken(context, ['.'], 'none');
      return {
        stats: vi.mocked(lstatSync).mock.calls.length,
        lists: vi.mocked(readdirSync).mock.calls.length,
      };
    };
    expect(await counted([])).toEqual({ stats: 0, lists: 0 });
    writeFileSync(join(folder, 'b/deep-3/file-3'), 'edited');
    // The file, once more for its other names, and three folders.
    expect(await counted([join(folder, 'b/deep-3/file-3')])).toEqual({ stats: 5, lists: 0 });
    writeFileSync(join(folder, 'b/deep-3/new'), 'new');
    rmSync(join(folder, 'b/deep-3/file-8'));
    const both = ['b/deep-3/new', 'b/deep-3/file-8'].map((path) => join(folder, path));
    expect(await counted(both)).toEqual({ stats: 7, lists: 0 });
    // What lies elsewhere is no change.
    expect(await counted([join(parent, 'elsewhere'), `${folder}-more/file`])).toEqual({ stats: 0, lists: 0 });
  });

  test('makes the lists of changed folders again, and no others', async () => {
    for (const path of ['a/x/1', 'a/y/2', 'b/z/3']) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), path);
    }
    const context = open();
    expect((await taken(context, ['.'])).parts.texts.size).toBe(7); // six folders, and the selection
    // No record has them yet.
    expect((await taken(context, ['.'])).parts.texts.size).toBe(7);
    context.save();
    expect((await taken(context, ['.'])).parts.texts.size).toBe(1);
    writeFileSync(join(folder, 'a/x/1'), 'edited');
    context.refresh([join(folder, 'a/x/1')]);
    expect((await taken(context, ['.'])).parts.texts.size).toBe(4); // a/x, a, the root, the selection
  });

  test('knows a file by its second name, in a folder that came as a whole', async () => {
    mkdirSync(join(folder, 'a'));
    mkdirSync(join(folder, 'b'));
    writeFileSync(join(folder, 'a/file'), 'one');
    const context = open();
    await taken(context, ['.']);
    const outside = mkdtempSync(join(parent, 'outside-'));
    linkSync(join(folder, 'a/file'), join(outside, 'file'));
    renameSync(outside, join(folder, 'b/new'));
    context.refresh([join(folder, 'b/new')]);
    expect((await taken(context, ['.'])).seen).toEqual((await taken(open(), ['.'])).seen);
    // What is written by one name is told of that name only.
    writeFileSync(join(folder, 'b/new/file'), 'two, and longer');
    context.refresh([join(folder, 'b/new/file')]);
    expect((await taken(context, ['a'])).seen).toEqual((await taken(open(), ['a'])).seen);
  });

  test('forgets what was in a folder that went after something in it was written', async () => {
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    for (const path of ['a/b/1', 'a/b/2']) writeFileSync(join(folder, path), path);
    const context = open();
    await taken(context, ['.']);
    rmSync(join(folder, 'a/b/1'));
    renameSync(join(folder, 'a'), join(folder, 'elsewhere'));
    // Of what is in a folder that is renamed, nothing is told.
    context.refresh(['a/b/1', 'a', 'elsewhere'].map((path) => join(folder, path)));
    expect((await taken(context, ['a/b/2'])).seen).toEqual((await taken(open(), ['a/b/2'])).seen);
  });

  test('looks at everything again when some changes were not told', async () => {
    writeFileSync(join(folder, 'a'), 'one');
    const context = open();
    await taken(context, ['.']);
    writeFileSync(join(folder, 'a'), 'two, and longer');
    context.refresh('everything');
    expect((await taken(context, ['.'])).seen).toEqual((await taken(open(), ['.'])).seen);
  });

  test('looks at the whole folder for a name that is no text', async () => {
    mkdirSync(join(folder, 'd'));
    const name = Buffer.concat([Buffer.from(join(folder, 'd/')), Buffer.from([0xff])]);
    writeFileSync(name, 'one');
    const context = open();
    await taken(context, ['.']);
    writeFileSync(name, 'two, and longer');
    context.refresh([join(folder, 'd', name.toString('utf8').slice(-1))]);
    expect((await taken(context, ['.'])).seen).toEqual((await taken(open(), ['.'])).seen);
  });

  test('gives the key of what was copied, where that was not what was looked up', async () => {
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd/a'), 'one');
    const context = open();
    await taken(context, ['.']);
    writeFileSync(join(folder, 'd/a'), 'two');
    const fresh = open();
    const [digest] = await fresh.digests(
      filesOf(fresh.children(fresh.pathOf(join(folder, 'd')) ?? never())),
      NEVER,
    );
    const [file] = context.children(context.pathOf(join(folder, 'd')) ?? never());
    context.correct(file ?? never(), digest ?? never());
    const tree = new ExcludingTree(context, context.pathOf(folder) ?? never(), createIgnoreMatcher('none'));
    const selected = selectSource(tree, '.');
    const expected = selectSource(fresh, '.');
    if (!selected.ok || !expected.ok) throw new Error('the root is always there');
    expect(await selectionDigest(tree, selected.value, new KeyParts(), NEVER)).toBe(
      await selectionDigest(fresh, expected.value, new KeyParts(), NEVER),
    );
  });
});

function never(): never {
  throw new Error('it is there');
}
