import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  createReadStream,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FILE_TYPE, makeNode, mount, unmount } from '@caisson/sys';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyLayer } from './apply.ts';
import { hostPath, textOf } from './byte-path.ts';
import { diffLayer, diffTree } from './diff.ts';
import type { WrittenLayer } from './layer-writer.ts';
import { StateTree } from './state-tree.ts';
import type { Toc } from './toc.ts';
import { ChainView } from './view.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = fc
  .array(fc.constantFrom('a', 'b', 'c', 'ä'), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'));

/** Something that a step does to files. What cannot be done is not done. */
type Action = (root: string) => void;

const attempt =
  (work: Action): Action =>
  (root) => {
    try {
      work(root);
    } catch {
      // There is something else there, or nothing.
    }
  };

/** Writes to a file, or a new one. A pipe that nobody reads is not waited for. */
function writeTo(at: string, text: string, how: number): void {
  const fd = openSync(at, constants.O_WRONLY | constants.O_CREAT | constants.O_NONBLOCK | how);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

const actions = {
  write: fc
    .tuple(path, fc.constantFrom('', 'x', 'y'.repeat(5000)))
    .map(([at, text]) => attempt((root) => writeTo(join(root, at), text, constants.O_TRUNC))),
  append: path.map((at) => attempt((root) => writeTo(join(root, at), 'more', constants.O_APPEND))),
  touch: path.map((at) => attempt((root) => writeTo(join(root, at), '', constants.O_APPEND))),
  makeFolder: path.map((at) => attempt((root) => mkdirSync(join(root, at), { recursive: true }))),
  remove: path.map((at) => attempt((root) => rmSync(join(root, at), { recursive: true }))),
  replaceFolder: path.map((at) =>
    attempt((root) => {
      rmSync(join(root, at), { recursive: true, force: true });
      mkdirSync(join(root, at));
    }),
  ),
  // A folder of a lower layer cannot be renamed in an overlay: mv(1) copies it.
  rename: fc.tuple(path, path).map(([from, to]) =>
    attempt((root) => {
      if (!lstatSync(join(root, from)).isDirectory()) renameSync(join(root, from), join(root, to));
    }),
  ),
  symlink: fc.tuple(path, path).map(([to, at]) => attempt((root) => symlinkSync(to, join(root, at)))),
  chmod: fc.tuple(path, fc.constantFrom(0o4755, 0o600, 0o1777)).map(([at, mode]) =>
    attempt((root) => {
      if (!lstatSync(join(root, at)).isSymbolicLink()) chmodSync(join(root, at), mode);
    }),
  ),
  chown: fc.tuple(path, fc.nat(2)).map(([at, id]) =>
    attempt((root) => {
      if (!lstatSync(join(root, at)).isSymbolicLink()) chownSync(join(root, at), id, id);
    }),
  ),
  setTime: fc.tuple(path, fc.nat(2)).map(([at, time]) =>
    attempt((root) => {
      if (!lstatSync(join(root, at)).isSymbolicLink()) utimesSync(join(root, at), time, time);
    }),
  ),
  pipe: path.map((at) =>
    attempt((root) => makeNode(join(root, at), FILE_TYPE.fifo | 0o644, { major: 0, minor: 0 })),
  ),
};
const link = fc
  .tuple(path, path)
  .map(([from, at]) => attempt((root) => linkSync(join(root, from), join(root, at))));

// An overlay breaks up files with several names of the layers below when they are written to; a folder does not.
const before = fc.array(fc.oneof(...Object.values(actions)), { maxLength: 12 });
const changes = fc.array(fc.oneof(...Object.values(actions), link), { maxLength: 8 });

const LATEST = { seconds: 1_000_000_000, nanoseconds: 0 };

/** A new empty folder, or the path of a new file in one. */
function place(name: string): string {
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  return at;
}

/** A tree of a folder that is empty, and the layers put on it. */
async function treeOf(name: string, layers: readonly { toc: Toc; tar: string }[]): Promise<StateTree> {
  const tree = new StateTree(hostPath(place(name)));
  for (const { toc, tar } of layers)
    tree.apply(toc, ({ offset }) => ({ path: hostPath(tar), ...(offset === undefined ? {} : { offset }) }));
  await sleep(10); // a step takes longer to start than the clock of the file system to go on
  return tree;
}

function layerOf(tree: StateTree, name: string): WrittenLayer & { tar: string } {
  const tar = join(folder, `${name}.tar`);
  return { ...diffTree(tree, { output: hostPath(tar), latest: LATEST }), tar };
}

function diffOfOverlay(lower: string, all: readonly Action[]): WrittenLayer {
  const [upper, work, merged] = ['upper', 'work', 'merged'].map(place);
  if (upper === undefined || work === undefined || merged === undefined) throw new Error('unreachable');
  const data = `lowerdir=${lower},upperdir=${upper},workdir=${work},index=off,metacopy=off,redirect_dir=off`;
  mount({ source: 'overlay', target: merged, type: 'overlay', data });
  for (const each of all) each(merged);
  unmount(merged);
  return diffLayer({
    upper: hostPath(upper),
    before: hostPath(lower),
    output: hostPath(join(folder, 'overlay.tar')),
    latest: LATEST,
  });
}

/** All of a folder, as find(1) and sha256sum(1) see it; sizes of folders are the file system's. */
function listing(root: string): string {
  const script = `find . -mindepth 1 ! -type d -printf '%y %m %U:%G %n %s %T@ %p %l\\n' | sort
    find . -mindepth 1 -type d -printf '%m %U:%G %T@ %p\\n' | sort; find . -type f -exec sha256sum {} + | sort`;
  return execFileSync('sh', ['-c', script], { cwd: root, encoding: 'utf8' });
}

/** The entries of a layer, by type and path. */
function paths({ toc }: WrittenLayer): string[] {
  return toc.entries.map((entry) => `${entry.type} ${textOf(entry.path)}`);
}

describe.skipIf(process.getuid?.() !== 0)('a folder that holds all of a state', () => {
  test('gives the layer that an overlay gives, new or taken over, and it brings back what was there', async () => {
    await fc.assert(
      fc.asyncProperty(before, changes, async (first, second) => {
        rmSync(folder, { recursive: true, force: true });
        const kept = await treeOf('kept', []);
        for (const each of first) each(textOf(kept.root));
        const base = layerOf(kept, 'base');
        const lower = place('lower');
        await applyLayer({
          source: createReadStream(base.tar),
          below: new ChainView([]),
          tree: hostPath(lower),
        });
        const fresh = await treeOf('fresh', [base]);
        expect(listing(textOf(fresh.root))).toBe(listing(lower));

        const wanted = diffOfOverlay(lower, second);
        for (const tree of [fresh, kept]) {
          for (const each of second) each(textOf(tree.root));
          const layer = layerOf(tree, `of-${textOf(tree.root).slice(dirname(textOf(tree.root)).length + 1)}`);
          expect(paths(layer)).toEqual(paths(wanted));
          expect(layer.diffId).toBe(wanted.diffId);
          const again = await treeOf(`again-${layer.size}-${tree === fresh}`, [base, layer]);
          expect(listing(textOf(again.root))).toBe(listing(textOf(tree.root)));
          // Nothing has changed since.
          expect(paths(layerOf(tree, `nothing-${tree === fresh}`))).toEqual([]);
        }
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 30) },
    );
  }, 300_000);

  test('keeps files one that are one: what is written to one name shows under the others', async () => {
    const made = await treeOf('made', []);
    const root = textOf(made.root);
    writeFileSync(join(root, 'a'), 'content');
    linkSync(join(root, 'a'), join(root, 'b'));
    writeFileSync(join(root, 'other'), 'content');
    const tree = await treeOf('tree', [layerOf(made, 'base')]);
    const entriesAfter = (action: Action): string[] => {
      action(textOf(tree.root));
      return paths(layerOf(tree, `layer-${Math.random()}`));
    };
    expect(entriesAfter((at) => appendFileSync(join(at, 'b'), 'more'))).toEqual(['file a', 'hardlink b']);
    expect(entriesAfter((at) => linkSync(join(at, 'b'), join(at, 'c')))).toEqual([
      'file a',
      'hardlink b',
      'hardlink c',
    ]);
    expect(entriesAfter((at) => rmSync(join(at, 'a')))).toEqual(['whiteout a']);
    expect(
      entriesAfter((at) => {
        execFileSync('cp', ['-p', 'b', 'copy'], { cwd: at });
        renameSync(join(at, 'copy'), join(at, 'b'));
      }),
    ).toEqual(['file b']);
  });
});
