import { atOnce } from './parts.ts';
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyLayer } from './apply.ts';
import { fsPath, hostPath, textOf, type HostPath } from './byte-path.ts';
import { wrongInTree } from './check-tree.ts';
import { digestInTar } from './check-toc.ts';
import { parentsOf } from './in-root.ts';
import { editedThings, entriesOf, writeLayer, type Thing } from './testing/random-layer.ts';
import { Toc } from './toc.ts';
import { grownDelta, treeDelta, writeTreeDelta } from './tree-delta.ts';
import { ChainView } from './view.ts';

let folder: string;
let files = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-delta-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const newPath = (): HostPath => hostPath(join(folder, String(files++)));

function newFolder(): HostPath {
  const path = newPath();
  mkdirSync(fsPath(path), { mode: 0o755 });
  return path;
}

/** A layer as a tar and as a tree. */
async function made(things: readonly Thing[]) {
  const [tar, tree] = [newPath(), newFolder()];
  const layer = writeLayer(tar, entriesOf(things));
  await applyLayer({ source: createReadStream(fsPath(tar)), below: new ChainView([]), tree });
  return { ...layer, tar, tree };
}

/** All that overlayfs shows of some trees, lowest first. */
function shown(...trees: readonly HostPath[]): string {
  const script = `mount -t overlay none -o "lowerdir=$1:$2" "$2" || exit 1; cd "$2"
    find . -mindepth 1 -printf '%y %m %U:%G %n %s %T@ %p %l\\n' | sed -E 's/^(d [^ ]+ [^ ]+) [0-9]+ [0-9]+/\\1/' | sort
    find . -type f ! -name much -exec sha256sum {} + | sort`;
  const lowers = trees.toReversed().join(':');
  return execFileSync('unshare', ['--mount', 'sh', '-c', script, 'sh', lowers, newFolder()], {
    encoding: 'utf8',
  });
}

const thing: Thing = { path: 'a', what: 'file', text: 'x', size: 5000, mode: 0o644, time: 1, target: 0 };
const many = ['b', 'c', 'd', 'e', 'f', 'g'].map((path) => ({ ...thing, path }));

function delta(before: readonly Thing[], after: readonly Thing[]): string[] | undefined {
  const [base, toc] = [before, after].map((each) => new Toc(entriesOf(each).map(({ entry }) => entry)));
  return base && toc && treeDelta(base, toc)?.map(({ path }) => textOf(path));
}

describe('a delta', () => {
  test('has what changed, with the folders on the way and all names of a file', () => {
    const linked: Thing = { ...thing, path: 'z/link', what: 'link', target: 6 };
    expect(delta([...many, thing, linked], [...many, { ...thing, text: 'y' }, linked])).toEqual([
      'a',
      'z',
      'z/link',
    ]);
    const deep = { ...thing, path: 'x/y/z' };
    expect(delta([...many, deep], [...many, { ...deep, time: 2 }])).toEqual(['x', 'x/y', 'x/y/z']);
    expect(delta(many, many)).toEqual([]);
  });

  test.each<[string, readonly Thing[], readonly Thing[]]>([
    ['something is gone, which may show again what lies below', [...many, thing], many],
    ['a folder takes the place of a file', [...many, thing], [...many, { ...thing, what: 'folder' }]],
    ['a file takes the place of a folder', [...many, { ...thing, what: 'folder' }], [...many, thing]],
    ['a quarter of the bytes is new', many, [...many, { ...thing, size: 60_000 }]],
  ])('is none where %s', (_why, before, after) => {
    expect(delta(before, after)).toBeUndefined();
  });

  test('that is grown from an earlier one lacks nothing, and needs nothing else', () => {
    let grown = 0;
    const much = entriesOf([{ ...thing, path: 'much', size: 20_000_000 }]);
    fc.assert(
      fc.property(editedThings, ({ before, after, later }) => {
        const [base, earlier, now] = [before, after, later].map(
          (each) => new Toc([...much, ...entriesOf(each)].map(({ entry }) => entry)),
        );
        if (base === undefined || earlier === undefined || now === undefined) return;
        const beyond = treeDelta(base, earlier)?.map(({ path }) => path);
        const found = beyond && grownDelta(earlier, beyond, now);
        if (found === undefined) return;
        grown++;
        const paths = found.map(({ path }) => path);
        expect(paths).toEqual(expect.arrayContaining(treeDelta(base, now)?.map(({ path }) => path) ?? ['?']));
        for (const entry of found) {
          expect(paths).toEqual(expect.arrayContaining(parentsOf(entry.path)));
          if (entry.type === 'hardlink') expect(paths).toContain(entry.target);
        }
      }),
      { numRuns: 300 },
    );
    expect(grown).toBeGreaterThan(50);
  });

  test.skipIf(process.getuid?.() !== 0)(
    'on the tree that it lies on shows what a tree of its own shows',
    async () => {
      let deltas = 0;
      await fc.assert(
        fc.asyncProperty(editedThings, editedThings, async ({ before, after }, { before: others }) => {
          // Much else, so that it is small.
          const rest = { ...thing, path: 'much', size: 6_000_000, text: '\0' };
          const [below, base, now] = [
            await made(others),
            await made([rest, ...before]),
            await made([rest, ...after]),
          ];
          const entries = treeDelta(base.toc, now.toc);
          if (entries === undefined) return;
          deltas++;
          const tree = newFolder();
          await writeTreeDelta({
            delta: entries,
            tar: now.tar,
            scratch: newPath(),
            tree,
            inTurns: (parts) => Promise.resolve(atOnce(parts)),
            signal: new AbortController().signal,
          });
          expect(shown(below.tree, base.tree, tree)).toBe(shown(below.tree, now.tree));
          expect(
            wrongInTree(
              tree,
              new Toc(entries),
              ({ size, digest }, at) => digestInTar(at, { size }) === digest,
            ),
          ).toBeUndefined();
        }),
        { numRuns: 25 },
      );
      expect(deltas).toBeGreaterThan(5);
    },
    60_000,
  );
});
