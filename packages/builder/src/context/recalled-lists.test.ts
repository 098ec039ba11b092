import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scanFolder } from '@caisson/sys';
import { createIgnoreMatcher } from '@caisson/parser';
import type { KnownList } from '@caisson/store';
import { LayerError } from '@caisson/layer';
import { array, assert, asyncProperty, constantFrom, tuple } from 'fast-check';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { selectSource } from '../copy/select-sources.ts';
import { selectionDigest } from '../copy/selection-digest.ts';
import { KeyParts } from '../solve/key-parts.ts';
import type { ContextModes } from './context-modes.ts';
import { LocalContext } from './local-context.ts';
import { NO_MEMORY, TICK_MS, type FileMemory, type ListMemory } from './stat-cache.ts';
import { editFolder, fillFolder, FOLDER_EDIT } from './testing/folder-edits.ts';

vi.mock(import('node:fs'), { spy: true });
vi.mock(import('@caisson/sys'), { spy: true });

const parent = mkdtempSync(join(tmpdir(), 'caisson-recalled-'));
afterAll(() => rmSync(parent, { recursive: true }));
const NEVER = new AbortController().signal;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(parent, 'context-'));
});

type Memory = FileMemory & ListMemory & { readonly kept: Map<string, Map<string, KnownList>> };

function newMemory(): Memory {
  const kept: Memory['kept'] = new Map();
  return {
    ...NO_MEMORY,
    kept,
    lists: (_root, view) => kept.get(view) ?? new Map(),
    rememberLists(_root, view, lists) {
      const known = kept.get(view) ?? new Map<string, KnownList>();
      kept.set(view, known);
      for (const [path, list] of lists) {
        if (list === undefined) known.delete(path);
        else known.set(path, list);
      }
    },
  };
}

interface Opened {
  readonly ignore?: string;
  readonly modes?: ContextModes;
  readonly memory?: ListMemory | undefined;
}

function open({ ignore = '', modes = 'exact', memory }: Opened): LocalContext {
  const rules = { ...createIgnoreMatcher(ignore), path: '.dockerignore', text: ignore };
  return new LocalContext('the test', folder, rules, NO_MEMORY, modes, memory);
}

/** What a source counts as in a build of its own. */
async function counted(how: Opened, source = '.'): Promise<string> {
  const context = open(how);
  const found = selectSource(context, source);
  if (!found.ok) return found.error.reason;
  const digest = await selectionDigest(context, found.value, new KeyParts(), NEVER);
  context.save();
  return digest;
}

/** What was done a moment ago may be done again without a trace. */
async function rest(): Promise<void> {
  await sleep(TICK_MS + 10);
}

function write(...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
}

function relink(path: string, target: string): void {
  rmSync(join(folder, path));
  symlinkSync(target, join(folder, path));
}

/** The folders that earlier builds kept. */
function keptFolders({ kept }: Memory): string[] {
  return [...kept.values()].flatMap((lists) => [...lists.keys()]).toSorted();
}

describe('what folders counted as in earlier builds', () => {
  test('is what they count as now, whatever was done', { timeout: 60_000 }, async () => {
    const rounds = array(array(FOLDER_EDIT, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 4 });
    const rules = constantFrom('', '', 'b\n!b/c', '**/a\n!a/b', '*\n!*/c', '*\n!**/c');
    let recalled = 0;
    await assert(
      asyncProperty(rounds, rules, async (edits, ignore) => {
        folder = mkdtempSync(join(parent, 'context-'));
        fillFolder(folder);
        const memory = newMemory();
        for (const round of [[], ...edits]) {
          for (const edit of round) editFolder(folder, edit);
          await rest();
          for (const source of ['a', '.', '*'])
            expect(await counted({ ignore, memory }, source)).toBe(await counted({ ignore }, source));
          recalled += keptFolders(memory).length;
        }
      }),
      { numRuns: 20 },
    );
    expect(recalled).toBeGreaterThan(50);
  });

  test('makes that nothing in them is looked at but their names and stats', async () => {
    write('a/one', 'a/b/two', 'c/three');
    await rest();
    const memory = newMemory();
    const first = await counted({ memory });
    expect(keptFolders(memory)).toEqual(['', 'a', 'a/b', 'c']);
    vi.mocked(readdirSync).mockClear();
    vi.mocked(scanFolder).mockClear();
    const again = open({ memory });
    const look = vi.spyOn(again, 'children');
    const found = selectSource(again, '.');
    if (!found.ok) throw new Error(found.error.reason);
    expect(await selectionDigest(again, found.value, new KeyParts(), NEVER)).toBe(first);
    expect(look).not.toHaveBeenCalled();
    expect(scanFolder).toHaveBeenCalledTimes(4);
    expect(readdirSync).not.toHaveBeenCalled();
  });

  test('counts for those in which nothing changed, beside one in which something did', async () => {
    write('a/one', 'a/b/two', 'c/three');
    await rest();
    const memory = newMemory();
    await counted({ memory });
    writeFileSync(join(folder, 'c/three'), 'other');
    const again = open({ memory });
    const look = vi.spyOn(again, 'children');
    const found = selectSource(again, '.');
    if (!found.ok) throw new Error(found.error.reason);
    expect(await selectionDigest(again, found.value, new KeyParts(), NEVER)).toBe(await counted({}));
    expect(new Set(look.mock.calls.map(([path]) => path))).toEqual(new Set(['', 'c']));
  });

  test('is not kept of a folder in which something changed a moment ago', async () => {
    write('a/one', 'b/two');
    await rest();
    writeFileSync(join(folder, 'b/two'), 'new');
    const memory = newMemory();
    await counted({ memory });
    expect(keptFolders(memory)).toEqual(['', 'a']);
    writeFileSync(join(folder, 'b/two'), 'old');
    expect(await counted({ memory })).toBe(await counted({}));
  });

  test.each([
    ['a file was written', 'src/conf', () => write('src/conf')],
    ['a name came to be', 'src/gen', () => write('src/gen')],
    ['a file got another mode', 'src/data', () => chmodSync(join(folder, 'src/data'), 0o600)],
    ['a folder got another mode', 'src/d/x', () => chmodSync(join(folder, 'src/d'), 0o700)],
    ['a link leads elsewhere', 'src/link', () => relink('src/link', 'data')],
  ])('is not kept where %s after it had been looked at by itself', async (_what, single, edit) => {
    mkdirSync(join(folder, 'src/d'), { recursive: true });
    for (const name of ['src/conf', 'src/data', 'src/d/x']) writeFileSync(join(folder, name), 'one');
    symlinkSync('conf', join(folder, 'src/link'));
    await rest();
    const memory = newMemory();
    const context = open({ memory });
    for (const source of [single, 'src']) {
      const found = selectSource(context, source);
      if (found.ok) await selectionDigest(context, found.value, new KeyParts(), NEVER);
      if (source === single) edit();
      await rest();
    }
    context.save();
    expect(await counted({ memory }, 'src')).toBe(await counted({}, 'src'));
    expect(await counted({ memory })).toBe(await counted({}));
  });

  test(
    'is what they count as now, whatever is done between two looks of a build',
    { timeout: 60_000 },
    async () => {
      const edits = array(FOLDER_EDIT, { minLength: 1, maxLength: 3 });
      const sources = array(constantFrom('a', 'b', '.', '*', 'a/b', 'b/c', 'a/*', 'c'), {
        minLength: 2,
        maxLength: 3,
      });
      await assert(
        asyncProperty(array(tuple(edits, sources), { minLength: 2, maxLength: 3 }), async (builds) => {
          folder = mkdtempSync(join(parent, 'context-'));
          fillFolder(folder);
          const memory = newMemory();
          await rest();
          for (const [round, looks] of builds) {
            const context = open({ memory });
            for (const [index, source] of looks.entries()) {
              try {
                const found = selectSource(context, source);
                if (found.ok) await selectionDigest(context, found.value, new KeyParts(), NEVER);
              } catch (error) {
                // What was there at the first look went away: the build reads its context once more.
                if (!(error instanceof LayerError) || error.code !== 'changed-while-read') throw error;
              }
              const edit = round[index];
              if (edit !== undefined) editFolder(folder, edit);
              await rest();
            }
            context.save();
            for (const source of ['.', 'a', 'a/b', 'b'])
              expect(await counted({ memory }, source)).toBe(await counted({}, source));
          }
        }),
        { numRuns: 15 },
      );
    },
  );

  test('is not kept of a folder that another may become a part of', async () => {
    write('a/b/c/no', 'a/x', 'c/x');
    await rest();
    const memory = newMemory();
    const ignore = '*\n!a/x\n!c/x\n!a/b/c/x';
    const before = await counted({ ignore, memory });
    expect(keptFolders(memory)).toEqual(['', 'c']);
    write('a/b/c/x');
    const after = await counted({ ignore });
    expect(after).not.toBe(before);
    expect(await counted({ ignore, memory })).toBe(after);
  });

  test('is known by who sees the same files', async () => {
    write('a/one', 'a/two');
    await rest();
    const memory = newMemory();
    const all = await counted({ memory });
    expect(await counted({ memory, ignore: 'a/two' })).not.toBe(all);
    await counted({ memory, modes: 'normal' });
    expect(memory.kept.size).toBe(3);
  });

  test('is known at any depth that paths can have', { timeout: 30_000 }, async () => {
    const deep = 'd/'.repeat(1900);
    mkdirSync(join(folder, deep), { recursive: true });
    writeFileSync(join(folder, deep, 'file'), 'x');
    await rest();
    const memory = newMemory();
    const cold = await counted({});
    for (let time = 0; time < 2; time++) expect(await counted({ memory })).toBe(cold);
    expect(keptFolders(memory)).toHaveLength(1901);
  });

  test('is that of the folder behind a context that is a link', async () => {
    write('a/one', 'b');
    await rest();
    const behind = folder;
    const expected = await counted({});
    const memory = newMemory();
    folder = mkdtempSync(join(parent, 'link-'));
    symlinkSync(behind, join(folder, 'to'));
    folder = join(folder, 'to');
    for (const how of [{}, { memory }, { memory }]) expect(await counted(how)).toBe(expected);
    expect(keptFolders(memory)).toEqual(['', 'a']);
  });

  test('is forgotten with them', async () => {
    write('a/b/c/one', 'd/two');
    await rest();
    const memory = newMemory();
    await counted({ memory });
    rmSync(join(folder, 'a/b'), { recursive: true });
    await rest();
    await counted({ memory });
    expect(keptFolders(memory)).toEqual(['', 'a', 'd']);
  });
});
