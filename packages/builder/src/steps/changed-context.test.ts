import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  rmSync,
  writeFileSync,
  type Mode,
  type OpenMode,
  type PathLike,
} from 'node:fs';
import type * as nodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { build } from '../build.ts';
import type { BuildEvent } from '../events.ts';

/*
 * Somebody writes to a context while a build reads it: just before the kernel is asked for a file, so that it happens in
 * each run.
 */

/** Called with each path before it is opened; `list` too where it is asked what is in it, a folder that is opened included. */
const hooks = vi.hoisted(() => ({ open: (_path: string) => {}, list: (_path: string) => {} }));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof nodeFs>();
  return {
    ...fs,
    openSync: (path: PathLike, ...rest: [OpenMode, Mode?]) => {
      hooks.open(String(path));
      hooks.list(String(path));
      return fs.openSync(path, ...rest);
    },
    readdirSync: (path: PathLike, options: 'latin1') => {
      hooks.list(String(path));
      return fs.readdirSync(path, options);
    },
  };
});

let parent = '';
let context = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'caisson-changed-'));
  context = join(parent, 'context');
  mkdirSync(context);
});
afterEach(() => {
  hooks.open = () => {};
  hooks.list = () => {};
  rmSync(parent, { recursive: true });
});

/** How a file is looked at: a build hashes each that it does not know, and reads it again to copy it. */
type Times = readonly number[];
const HASHED: Times = [1];
const COPIED: Times = [2];
const ALWAYS: Times = Array.from({ length: 20 }, (_, index) => index + 1);

/** Has something happen when a file is opened. @param times at which of the openings, from 1 */
function whenOpened(name: string, times: Times, happen: () => void): void {
  let opened = 0;
  hooks.open = (path) => {
    if (path !== join(context, name)) return;
    opened++;
    if (times.includes(opened)) happen();
  };
}

/** Has something happen before it is first asked what is in a folder. */
function whenListed(name: string, happen: () => void): void {
  hooks.list = (path) => {
    if (path !== join(context, name)) return;
    hooks.list = () => {};
    happen();
  };
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    writeFileSync(join(context, path), text);
  }
}

interface Built {
  readonly warnings: readonly string[];
  readonly outcomes: readonly string[];
  readonly failure: unknown;
  /** What is in the image, by path. */
  readonly files: Readonly<Record<string, string>>;
}

let builds = 0;
async function built(dockerfileText: string): Promise<Built> {
  const events: BuildEvent[] = [];
  builds++;
  const output = join(parent, `output-${builds}`);
  const result = await build(
    {
      root: join(parent, 'store'),
      context,
      dockerfileText,
      outputs: [{ type: 'local', destination: output }],
      registry: {},
      secrets: {},
    },
    (event) => events.push(event),
  );
  const inContext = (text: string): string => text.replaceAll(`${context}/`, '/');
  return {
    warnings: events.flatMap((event) => (event.kind === 'warning' ? [inContext(event.message)] : [])),
    outcomes: events.flatMap(({ kind }) => (kind.startsWith('step-') ? [kind] : [])),
    failure: result.ok
      ? undefined
      : result.error.map(({ code, message, hint, place }) => ({
          code,
          message: inContext(message),
          hint,
          line: place?.range.start.line,
        })),
    files: result.ok ? filesIn(output) : {},
  };
}

function filesIn(folder: string): Record<string, string> {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true });
  const files = all.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(
    files.map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')] as const),
  );
}

const COPY = 'FROM scratch\nCOPY data /data/\n';

describe.skipIf(process.getuid?.() !== 0)('a context that changes while it is read (needs root)', () => {
  test.each([
    ['before it is hashed', HASHED],
    ['between the look-up and the copy', COPIED],
  ])('once, %s: what is there then is in the image, under its own key', async (_when, times) => {
    write({ 'data/a': 'a\n', 'data/log': 'one\n' });
    whenOpened('data/log', times, () => appendFileSync(join(context, 'data/log'), 'two\n'));
    const first = await built(COPY);
    expect(first).toMatchObject({
      warnings: ['/data/log changed while it was read; it is read once more'],
      failure: undefined,
      files: { '/data/a': 'a\n', '/data/log': 'one\ntwo\n' },
    });
    expect(await built(COPY)).toMatchObject({ outcomes: ['step-cached'], files: first.files });
    writeFileSync(join(context, 'data/log'), 'one\n');
    expect(await built(COPY)).toMatchObject({
      outcomes: ['step-started', 'step-done'],
      files: { '/data/log': 'one\n' },
    });
  });

  test.each([
    ['before it is hashed', HASHED],
    ['between the look-up and the copy', COPIED],
  ])('in that a file goes away, %s', async (_when, times) => {
    write({ 'data/a': 'a\n', 'data/log': 'one\n' });
    whenOpened('data/log', times, () => rmSync(join(context, 'data/log')));
    expect(await built(COPY)).toMatchObject({
      warnings: ['/data/log went away while it was read; it is read once more'],
      files: { '/data/a': 'a\n' },
    });
    expect((await built(COPY)).outcomes).toStrictEqual(['step-cached']);
  });

  test('in that what a source names goes away', async () => {
    write({ data: 'a\n' });
    whenOpened('data', COPIED, () => rmSync(join(context, 'data')));
    expect(await built(COPY)).toMatchObject({
      warnings: ['/data went away while it was read; it is read once more'],
      failure: [{ code: 'missing-source', message: 'the build context has no data', line: 2 }],
    });
  });

  test('in that a folder goes away, or is a file', async () => {
    write({ 'data/a': 'a\n', 'data/folder/b': 'b\n' });
    whenListed('data/folder', () => rmSync(join(context, 'data/folder'), { recursive: true }));
    expect(await built(COPY)).toMatchObject({
      warnings: ['/data/folder went away while it was read; it is read once more'],
      files: { '/data/a': 'a\n' },
    });
    write({ 'data/folder/b': 'b\n' });
    whenListed('data/folder', () => {
      rmSync(join(context, 'data/folder'), { recursive: true });
      writeFileSync(join(context, 'data/folder'), 'file\n');
    });
    expect(await built(COPY)).toMatchObject({
      warnings: ['/data/folder went away while it was read; it is read once more'],
      files: { '/data/a': 'a\n', '/data/folder': 'file\n' },
    });
  });

  test('in that a file becomes a folder, a link or a pipe', async () => {
    const inPlace: readonly (() => void)[] = [
      () => mkdirSync(join(context, 'data/log')),
      () => symlinkSync('a', join(context, 'data/log')),
      () => void execFileSync('mkfifo', [join(context, 'data/log')]),
    ];
    for (const times of [HASHED, COPIED])
      for (const become of inPlace) {
        rmSync(join(context, 'data'), { recursive: true, force: true });
        write({ 'data/a': 'a\n', 'data/log': `${builds}\n` });
        whenOpened('data/log', times, () => {
          rmSync(join(context, 'data/log'));
          become();
        });
        const { warnings, failure } = await built(COPY);
        expect({ warnings, failure }).toStrictEqual({
          warnings: ['/data/log changed while it was read; it is read once more'],
          failure: undefined,
        });
      }
  });

  test('in that an archive is written anew while it is unpacked', async () => {
    const archive = join(context, 'data.tar');
    const pack = (text: string): void => {
      const folder = mkdtempSync(join(parent, 'packed-'));
      writeFileSync(join(folder, 'file'), text);
      execFileSync('tar', ['-cf', archive, '-C', folder, 'file']);
    };
    pack('one');
    const Dockerfile = 'FROM scratch\nADD data.tar /data/\n';
    // It is hashed for the key with this; it is read to be unpacked, a little later, with something else.
    whenOpened('data.tar', HASHED, () => setImmediate(() => pack('two')));
    const first = await built(Dockerfile);
    expect(first).toMatchObject({
      warnings: ['/data.tar changed while it was read; it is read once more'],
      files: { '/data/file': 'two' },
    });
    expect(await built(Dockerfile)).toMatchObject({ outcomes: ['step-cached'], files: first.files });
    pack('one');
    expect(await built(Dockerfile)).toMatchObject({ files: { '/data/file': 'one' } });
  });

  test('again and again: the file is named', async () => {
    write({ 'data/log': 'one\n' });
    whenOpened('data/log', ALWAYS, () => appendFileSync(join(context, 'data/log'), 'more\n'));
    expect(await built(COPY)).toMatchObject({
      warnings: ['/data/log changed while it was read; it is read once more'],
      outcomes: [],
      failure: [
        {
          code: 'changed-while-read',
          message: '/data/log changed while it was read, twice',
          hint: 'an ignore file can hide what programs keep writing',
          line: 2,
        },
      ],
    });
    expect(readdirSync(join(parent, 'store/tmp'))).toStrictEqual([]);
  });

  test('of which another step has read already', async () => {
    write({ 'data/a': 'a\n', 'data/log': 'one\n' });
    // Both have its digest of one reading; then each copies it.
    whenOpened('data/log', [3], () => appendFileSync(join(context, 'data/log'), 'two\n'));
    const both = await built('FROM scratch\nCOPY data /first/\nCOPY data /second/\n');
    expect(both).toMatchObject({
      warnings: ['/data/log changed while it was read; it is read once more'],
      files: { '/first/log': 'one\n', '/second/log': 'one\ntwo\n' },
    });
  });
});
