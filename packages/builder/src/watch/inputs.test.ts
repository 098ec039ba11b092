import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIgnoreMatcher, SourceText } from '@caisson/parser';
import { array, assert, asyncProperty, constantFrom } from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { BuildError } from '../failure.ts';
import { LocalContext } from '../context/local-context.ts';
import { NO_MEMORY } from '../context/stat-cache.ts';
import { editFolder, fillFolder, FOLDER_EDIT } from '../context/testing/folder-edits.ts';
import { selectionDigest } from '../copy/selection-digest.ts';
import type { Place, PlannedCopy, PlannedRun } from '../plan/planned.ts';
import { KeyParts } from '../solve/key-parts.ts';
import { selectAll } from '../steps/select-all.ts';
import { inputsOf, type Inputs } from './inputs.ts';

const parent = mkdtempSync(join(tmpdir(), 'caisson-inputs-'));
afterAll(() => rmSync(parent, { recursive: true }));
const NEVER = new AbortController().signal;
const dockerfile = new SourceText('');
const place: Place = { path: 'Dockerfile', source: dockerfile, range: dockerfile.range(0, 0) };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(parent, 'context-'));
});

function contextWith(ignore: string): LocalContext {
  const rules = { ...createIgnoreMatcher(ignore), path: '.dockerignore', text: ignore };
  return new LocalContext('the test', folder, rules, NO_MEMORY);
}

interface Given {
  readonly sources: readonly string[];
  readonly ignore?: string;
  readonly exclude?: readonly string[];
  readonly hasParents?: boolean;
}

function copyOf({ sources, ignore = '', exclude = [], hasParents = false }: Given): PlannedCopy {
  return {
    kind: 'copy',
    text: 'COPY',
    place,
    sources: sources.map((text) => ({ kind: 'path', text, place })),
    from: { kind: 'context', context: contextWith(ignore) },
    destination: '/',
    chown: undefined,
    chmod: undefined,
    excludes: exclude,
    hasParents,
    isUnpacked: undefined,
    isLinked: false,
  };
}

/** Whether a path is covered; one that ends in a slash is a folder. */
function covers(inputs: Inputs, path: string): boolean {
  return inputs.covers(join(folder, path), path.endsWith('/') ? 'folder' : 'file');
}

describe('what a COPY depends on', () => {
  beforeEach(() => {
    for (const path of ['src/deep', 'docs', 'real/inner']) mkdirSync(join(folder, path), { recursive: true });
    for (const path of ['src/a.ts', 'src/deep/b.ts', 'docs/c.md', 'real/inner/d'])
      writeFileSync(join(folder, path), '');
    symlinkSync('real', join(folder, 'link'));
    symlinkSync('../real/inner', join(folder, 'src/inner'));
  });

  test.each<readonly [string, Given, readonly string[], readonly string[]]>([
    [
      'a file, and the names on the way',
      { sources: ['src/a.ts'] },
      ['src/a.ts', 'src/', 'src'],
      ['src/b.ts', 'src/deep/b.ts', 'docs/c.md', 'src/a.ts.swp'],
    ],
    [
      'a folder, with what is new in it',
      { sources: ['src'] },
      ['src/a.ts', 'src/new/file', 'src/'],
      ['docs/c.md', 'srcs'],
    ],
    ['everything', { sources: ['.'] }, ['any', 'src/deep/b.ts', ''], []],
    ['nothing that is outside', { sources: ['../src'] }, ['src/a.ts'], ['docs/c.md', '../src/a.ts']],
    [
      'what may come where nothing is',
      { sources: ['none/at/all'] },
      ['none/', 'none/at/', 'none/at/all', 'none/at/all/x'],
      ['none/x'],
    ],
    [
      'what fits a pattern, there or not',
      { sources: ['src/*.ts'] },
      ['src/a.ts', 'src/new.ts', 'src/new.ts/in/it'],
      ['src/a.md', 'src/deep/b.ts', 'a.ts'],
    ],
    [
      'folders that a pattern may enter',
      { sources: ['*/c.md'] },
      ['docs/c.md', 'new/', 'new/c.md'],
      ['new', 'new/d.md', 'c.md'],
    ],
    [
      'a pattern at any depth',
      { sources: ['**/*.ts'] },
      ['a.ts', 'src/a.ts', 'x/y/z.ts', 'x/y/'],
      ['x/y/z', 'src/deep/b.md'],
    ],
    [
      'all below a pattern of folders',
      { sources: ['src/**'] },
      ['src/a.ts', 'src/deep/b.ts', 'src/x/y/z'],
      ['docs/c.md'],
    ],
    [
      'a link, and what it leads to',
      { sources: ['link'] },
      ['link', 'real/', 'real/inner/d', 'real/new'],
      ['src/a.ts'],
    ],
    [
      'a link on the way',
      { sources: ['link/inner/d'] },
      ['link', 'real/', 'real/inner/', 'real/inner/d'],
      ['real/new', 'real/inner/e'],
    ],
    ['a link that fits a pattern', { sources: ['l*'] }, ['link', 'real/inner/d', 'lost'], ['src/a.ts']],
    ['a link that is copied as it is', { sources: ['src'] }, ['src/inner'], ['real/inner/d']],
    [
      'what is not ignored',
      { sources: ['.'], ignore: 'docs\n*.swp\nreal/*\n!real/keep' },
      ['src/a.ts', 'real/keep', 'real/keep/x', 'src/a.swp'],
      ['docs/', 'docs/c.md', 'a.swp', 'real/inner/d', 'real/new'],
    ],
    [
      'a folder of which something is taken in again',
      { sources: ['.'], ignore: 'real\n!real/keep' },
      ['real/', 'real/keep'],
      ['real', 'real/d'],
    ],
    [
      'what is not excluded, from the source on',
      { sources: ['src'], exclude: ['*.ts', 'deep', '!deep/keep'] },
      ['src/a.md', 'src/deep/', 'src/deep/keep', 'src/x/y.ts'],
      ['src/a.ts', 'src/deep/b.ts', 'src/deep', 'docs/c.md'],
    ],
    [
      'what is not excluded of what fits',
      { sources: ['*'], exclude: ['b.ts'] },
      ['b.ts', 'src/deep/b.ts'],
      ['src/b.ts', 'x/b.ts'],
    ],
    [
      'the folders above, with --parents',
      { sources: ['src/deep/b.ts'], hasParents: true },
      ['src/', 'src/deep/', 'src/deep/b.ts'],
      ['src/a.ts'],
    ],
  ])('is %s', (_title, given, covered, others) => {
    const inputs = inputsOf([copyOf(given)]);
    expect(inputs.folders).toEqual([folder]);
    expect([...covered, ...others].filter((path) => covers(inputs, path))).toEqual(covered);
  });

  test('is looked for only in folders that may have some of it', () => {
    const inputs = inputsOf([copyOf({ sources: ['src/deep/b.ts', '*/x/*.md'], ignore: 'docs\n!docs/keep' })]);
    const folders = [
      '',
      'src',
      'src/deep',
      'src/deep/b.ts',
      'src/other',
      'any',
      'any/x',
      'any/y',
      'docs',
      'docs/z',
      'docs/keep',
    ];
    expect(folders.filter((path) => inputs.reaches(join(folder, path)))).toEqual([
      '',
      'src',
      'src/deep',
      'src/deep/b.ts',
      'any',
      'any/x',
      'docs',
    ]);
  });

  test('is nothing for a pattern that is none, and for steps without a context', () => {
    expect(covers(inputsOf([copyOf({ sources: ['[a'] })]), '[a')).toBe(false);
    const inline = {
      ...copyOf({ sources: [] }),
      sources: [{ kind: 'inline', name: 'x', bytes: new Uint8Array() }],
    } as const;
    expect(covers(inputsOf([inline]), 'x')).toBe(false);
    expect(inputsOf([])).toMatchObject({ folders: [] });
  });

  test('is what a mount of a RUN shows, too', () => {
    const { from } = copyOf({ sources: [] });
    const run: PlannedRun = {
      kind: 'run',
      text: 'RUN',
      place,
      args: [],
      env: [],
      argNames: [],
      unkeyedEnv: [],
      cwd: '/',
      user: '',
      network: 'none',
      hostname: undefined,
      script: undefined,
      mounts: [
        { kind: 'bind', target: '/x', source: { kind: 'path', text: 'src', place }, from, isReadOnly: true },
        { kind: 'tmpfs', target: '/tmp', size: undefined },
      ],
    };
    const inputs = inputsOf([run]);
    expect(['src/a.ts', 'docs/c.md'].filter((path) => covers(inputs, path))).toEqual(['src/a.ts']);
  });
});

/** What a step selects counts as; nothing for one that fails. */
async function selectionOf(step: PlannedCopy): Promise<string | undefined> {
  if (step.from.kind !== 'context') throw new Error('unreachable');
  try {
    const { context } = step.from;
    return await selectionDigest(context, selectAll(context, step), new KeyParts(), NEVER);
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

test('a path below a file is one that is not there', () => {
  writeFileSync(join(folder, 'file'), '');
  const step = copyOf({ sources: ['file/x/y'] });
  if (step.from.kind !== 'context') throw new Error('unreachable');
  const { context } = step.from;
  expect(() => selectAll(context, step)).toThrow('the test has no file/x/y');
});

test('what is not covered changes no selection, whatever was done', async () => {
  const source = constantFrom('.', 'a', 'a/b', 'b/c', '*', 'a*/*', '*/c', '**/c', 'c/b/a', 'a/b/../c');
  const ignore = constantFrom('', '', 'b\n!b/c', '**/a\n!a/b', '*\n!*/c');
  const exclude = constantFrom([], [], ['c'], ['**/a', '!b/a'], ['b', '!b/c']);
  const given = { sources: array(source, { minLength: 1, maxLength: 2 }), ignore, exclude };
  let quiet = 0;
  await assert(
    asyncProperty(
      array(FOLDER_EDIT, { maxLength: 6 }),
      FOLDER_EDIT,
      given.sources,
      given.ignore,
      given.exclude,
      async (edits, edit, sources, rules, excluded) => {
        folder = mkdtempSync(join(parent, 'any-'));
        fillFolder(folder);
        for (const each of edits) editFolder(folder, each);
        const now = (): PlannedCopy => copyOf({ sources, ignore: rules, exclude: excluded });
        const step = now();
        const before = await selectionOf(step);
        const inputs = inputsOf([step]);
        const done = editFolder(folder, edit);
        // Nobody tells of the other names of a file that is written.
        if (['write', 'mode'].includes(edit.kind) && done.some(isLinked)) return;
        const told = done.flatMap((path) => [path, ...below(path)]);
        const isCovered = told.some((path) => inputs.covers(path, 'folder') || inputs.covers(path, 'file'));
        if (isCovered) return;
        quiet++;
        expect(await selectionOf(now())).toBe(before);
      },
    ),
    { numRuns: 300 },
  );
  expect(quiet).toBeGreaterThan(30);
});

function isLinked(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.nlink > 1;
}

/** What may lie below a path: watchers tell of all that comes and goes with a folder. */
function below(path: string): string[] {
  const names = ['a', 'b', 'c'];
  return names.flatMap((name) => [join(path, name), ...names.map((other) => join(path, name, other))]);
}
