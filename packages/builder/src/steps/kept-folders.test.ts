import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EarlierLayer, LayerError } from '@caisson/layer';
import { array, assert, asyncProperty, constantFrom, tuple } from 'fast-check';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { build } from '../build.ts';
import { TICK_MS } from '../context/stat-cache.ts';
import { LocalContext } from '../context/local-context.ts';
import { editFolder, fillFolder, FOLDER_EDIT } from '../context/testing/folder-edits.ts';
import * as kept from '../copy/kept-folders.ts';

/*
 * What a folder of the context became is taken from the last layer, where the folder looks as it did then. Nobody must be
 * able to tell, but by what is looked at.
 */

vi.mock(import('../copy/kept-folders.ts'), { spy: true });

const parent = mkdtempSync(join(tmpdir(), 'caisson-kept-'));
afterAll(() => rmSync(parent, { recursive: true }));

let context = '';
let store = '';
beforeEach(anew);

function anew(): void {
  const folder = mkdtempSync(join(parent, 'build-'));
  context = join(folder, 'context');
  store = join(folder, 'store');
  mkdirSync(context);
  vi.mocked(kept.keptFolders).mockClear();
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    writeFileSync(join(context, path), text);
  }
}

/** Two folders that weigh about the same, and one with little in it. */
function writeFolders(): void {
  write({ 'one/a': 'a'.repeat(9000), 'one/in/b': 'b'.repeat(9000), 'two/c': 'c'.repeat(9000), 'few/d': 'd' });
}

/** The last layer of what a Dockerfile gives: those below have folders that were made at another time each time. */
async function built(dockerfileText: string, root = store): Promise<string | undefined> {
  const epoch = /^# epoch (\d+)$/m.exec(dockerfileText)?.[1];
  const buildArgs = epoch === undefined ? {} : { SOURCE_DATE_EPOCH: epoch };
  const request = { root, context, dockerfileText, buildArgs, outputs: [], registry: {}, secrets: {} };
  const result = await build(request, () => {});
  if (!result.ok) return result.error.map(({ message }) => message).join();
  return result.value.images[0].config.rootfs.diff_ids.at(-1);
}

/** The same in a store that knows nothing. */
async function builtCold(dockerfileText: string): Promise<string | undefined> {
  const cold = mkdtempSync(join(parent, 'cold-'));
  try {
    return await built(dockerfileText, cold);
  } finally {
    rmSync(cold, { recursive: true });
  }
}

/** What was done a moment ago may be done again without a trace. */
async function rest(): Promise<void> {
  await sleep(TICK_MS + 10);
}

/** The folders that were kept since the beginning of a test. */
function keptSoFar(): string[] {
  const folders: string[] = [];
  for (const { value } of vi.mocked(kept.keptFolders).mock.results)
    if (value instanceof Map) for (const folder of value.keys()) folders.push(String(folder));
  return folders.toSorted();
}

const COPY = 'FROM scratch\nCOPY . /to/\n';

describe.skipIf(process.getuid?.() !== 0)('folders that look as they did (needs root)', () => {
  test('give what a cold build gives, whatever was done to others', { timeout: 120_000 }, async () => {
    const edits = array(FOLDER_EDIT, { minLength: 1, maxLength: 3 });
    const dockerfiles = constantFrom(
      COPY,
      COPY,
      // Of files alone, the folder that they come to has the time of the build.
      '# epoch 1000000000\nFROM scratch\nCOPY a /to/\n',
      'FROM scratch\nCOPY . /\n',
      'FROM scratch\nCOPY --chown=7:8 . /to/\n',
      'FROM scratch\nCOPY --chmod=0700 . /to/\n',
      'FROM scratch\nCOPY --chmod=go-r . /to/\n',
      'FROM scratch\nCOPY --exclude=*/c . /to/\n',
      'FROM scratch\nCOPY --link . /to/\n',
      '# epoch 1000000000\nFROM scratch\nCOPY --parents a b /to/\n',
      '# epoch 1000000000\nFROM scratch\nCOPY a b /to/\n',
      'FROM scratch\nWORKDIR /to/a\nCOPY . /to/\n',
      'FROM scratch\nCOPY a/a /to/b/a\nCOPY . /to/\n',
      '# epoch 1000000000\nFROM scratch\nCOPY . /to/\n',
    );
    let folders = 0;
    await assert(
      asyncProperty(array(tuple(edits, dockerfiles), { minLength: 2, maxLength: 5 }), async (rounds) => {
        anew();
        fillFolder(context);
        await rest();
        const seen = new Set([await built(COPY)]);
        for (const [number, [round, text]] of rounds.entries()) {
          for (const edit of round) editFolder(context, edit);
          write({ new: `${number}` });
          await rest();
          const layer = await built(text);
          // Where nothing but times changed, it may be an older one. What has the new file is not.
          if (text.includes('COPY . ') || !seen.has(layer)) expect(layer).toBe(await builtCold(text));
          seen.add(layer);
        }
        folders += keptSoFar().length;
      }),
      { numRuns: 25 },
    );
    expect(folders).toBeGreaterThan(0);
  });

  test('are not looked into, nor are those in them', async () => {
    writeFolders();
    await rest();
    await built(COPY);
    appendFileSync(join(context, 'few/d'), 'more');
    await rest();
    const look = vi.spyOn(LocalContext.prototype, 'children');
    const layer = await built(COPY);
    expect(new Set(look.mock.calls.map(([folder]) => folder))).toEqual(new Set(['', 'few']));
    look.mockRestore();
    expect(keptSoFar()).toEqual(['one', 'two']);
    expect(layer).toBe(await builtCold(COPY));
  });

  test('are kept from a layer that was made of kept ones', async () => {
    writeFolders();
    await rest();
    await built(COPY);
    for (const name of ['few/d', 'two/c', 'few/d']) {
      appendFileSync(join(context, name), 'more');
      await rest();
      vi.mocked(kept.keptFolders).mockClear();
      expect(await built(COPY)).toBe(await builtCold(COPY));
    }
    expect(keptSoFar()).toEqual(['one', 'two']);
  });

  test.each([
    ['two/c', ['one']],
    ['one/in/b', ['two']],
    ['one/in', ['one/in', 'two']],
  ])('are not those of which only a time is another: %s', async (path, others) => {
    writeFolders();
    await rest();
    await built(COPY);
    utimesSync(join(context, path), 1, 1);
    appendFileSync(join(context, 'few/d'), 'more');
    await rest();
    expect(await built(COPY)).toBe(await builtCold(COPY));
    expect(keptSoFar()).toEqual(others);
  });

  test.each([
    ['what is in them gets another owner', [], 'FROM scratch\nCOPY --chown=1:1 . /to/\n'],
    ['what is in them gets another mode', [], 'FROM scratch\nCOPY --chmod=0700 . /to/\n'],
    ['they go elsewhere', [], 'FROM scratch\nCOPY . /from/\n'],
    [
      'they are there already',
      ['few', 'one/in'],
      'FROM scratch\nCOPY few /to/one\nCOPY few /to/two\nCOPY . /to/\n',
    ],
    ['something else is copied, too', [], 'FROM scratch\nCOPY . few /to/\n'],
  ])('are not kept where %s', async (_what, others, text) => {
    writeFolders();
    await rest();
    await built(COPY);
    expect(await built(text)).toBe(await builtCold(text));
    expect(keptSoFar()).toEqual(others);
  });

  test('are read again where the layer that has them is damaged', async () => {
    writeFolders();
    await rest();
    await built(COPY);
    appendFileSync(join(context, 'few/d'), 'more');
    await rest();
    const taken = vi.spyOn(EarlierLayer.prototype, 'into').mockImplementationOnce(() => {
      throw new LayerError('damaged-layer', 'the test says so');
    });
    expect(await built(COPY)).toBe(await builtCold(COPY));
    expect(taken).toHaveBeenCalledTimes(1);
    taken.mockRestore();
    expect(keptSoFar()).toEqual(['one', 'two']);
  });

  test('are read again where a table of contents does not fit its layer, which stays', async () => {
    writeFolders();
    await rest();
    const before = await built(COPY);
    appendFileSync(join(context, 'few/d'), 'more');
    await rest();
    const open = vi.spyOn(EarlierLayer, 'open').mockReturnValue(undefined);
    expect(await built(COPY)).toBe(await builtCold(COPY));
    open.mockRestore();
    expect(existsSync(join(store, 'blobs', before?.replace(':', '/') ?? ''))).toBe(true);
  });
});
