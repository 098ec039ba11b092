import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostPath, textOf } from './byte-path.ts';
import { diffLayer } from './diff.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-diff-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A folder in which each list of names is one file, all with the same content and times. */
function tree(name: string, files: readonly (readonly string[])[]) {
  const root = join(folder, name);
  mkdirSync(root);
  for (const [first = '', ...others] of files) {
    writeFileSync(join(root, first), 'content');
    utimesSync(join(root, first), 1_000_000, 1_000_000);
    for (const other of others) linkSync(join(root, first), join(root, other));
  }
  return hostPath(root);
}

/** The entries of the layer between files below and files that were copied up. */
function changes(before: readonly (readonly string[])[], upper: readonly (readonly string[])[]): string[] {
  const output = hostPath(join(folder, 'layer.tar'));
  const { toc } = diffLayer({ before: tree('before', before), upper: tree('upper', upper), output });
  return toc.entries.map(({ type, path }) => `${type} ${textOf(path)}`);
}

describe('files with several names', () => {
  test('are no entries where they are as they were', () => {
    expect(changes([['a', 'b'], ['c']], [['a', 'b'], ['c']])).toEqual([]);
  });

  test('are an entry where a file left its other names below', () => {
    expect(changes([['a', 'b']], [['a']])).toEqual(['file a']);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    expect(changes([['a', 'b', 'c']], [['a', 'b']])).toEqual(['file a', 'hardlink b']);
  });

  test('are entries each where one file became two, or two became one', () => {
    expect(changes([['a', 'b']], [['a'], ['b']])).toEqual(['file a', 'file b']);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    expect(changes([['a'], ['b']], [['a', 'b']])).toEqual(['file a', 'hardlink b']);
  });
});

test('a socket is in no layer, nor in the tree that stands for one', async () => {
  const upper = tree('upper', [['a']]);
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(join(folder, 'upper', 'socket'), resolve));
  try {
    utimesSync(join(folder, 'upper'), 1_000_000, 1_000_000);
    const { toc } = diffLayer({ before: undefined, upper, output: hostPath(join(folder, 'layer.tar')) });
    expect(toc.entries.map(({ path }) => textOf(path))).toEqual(['a']);
    expect(readdirSync(join(folder, 'upper'))).toEqual(['a']);
    expect(statSync(join(folder, 'upper')).mtimeMs).toBe(1_000_000_000);
  } finally {
    server.close();
  }
});
