import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyLayer } from './apply.ts';
import { bytesOf, cleanPath, hostPath } from './byte-path.ts';
import { LayerWriter } from './layer-writer.ts';
import { encodeHeader } from './tar-header.ts';
import { TreeThread } from './tree-thread.ts';
import { ChainView } from './view.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-tree-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (text: string) => cleanPath(bytesOf(text));
const attributes = { mode: 0o640, uid: 1, gid: 2, mtime: { seconds: 981_173_106, nanoseconds: 123_456_789 } };

/** All of a tree, as find(1) and sha256sum(1) see it. */
function listing(root: string): string {
  const script = `find . -mindepth 1 -printf '%y %m %U:%G %n %s %T@ %p %l\\n' | sort; find . -type f -exec sha256sum {} + | sort`;
  return execFileSync('sh', ['-c', script], { cwd: root, encoding: 'utf8' }).replaceAll(
    /^(d \S+ \S+ \d+) \d+/gm,
    '$1',
  );
}

describe.skipIf(process.getuid?.() !== 0)('a tree', () => {
  test('that is made while its layer is written is the one that is made of the layer', async () => {
    const [tar, teed, applied] = ['layer.tar', 'teed', 'applied'].map((name) => join(folder, name));
    if (tar === undefined || teed === undefined || applied === undefined) throw new Error('unreachable');
    mkdirSync(teed);
    mkdirSync(applied);
    writeFileSync(
      join(folder, 'source'),
      Buffer.concat([Buffer.alloc(3 << 20), Buffer.from('end'), Buffer.alloc(100_000)]),
    );
    const { size } = statSync(join(folder, 'source'));
    const thread = new TreeThread(hostPath(tar), hostPath(teed));
    const writer = new LayerWriter(hostPath(tar), { onFlush: (end) => thread.written(end) });
    const file = { ...attributes, type: 'file', mode: 0o4755 } as const;
    writer.add({ ...attributes, type: 'directory', path: path('a'), mode: 0o1777 });
    writer.add({ ...attributes, type: 'directory', path: path('a/b'), mode: 0o2750 });
    const big = writer.addFile(
      { ...file, path: path('a/b/big'), size },
      { kind: 'file', path: hostPath(join(folder, 'source')) },
    );
    writer.addHardLink({ type: 'hardlink', path: path('a/b/link'), target: path('a/b/big') }, big);
    writer.addFile({ ...file, path: path('a/empty'), size: 0 }, { kind: 'bytes', bytes: Buffer.alloc(0) });
    writer.add({ ...attributes, type: 'fifo', path: path('a/pipe') });
    writer.addFile({ ...file, path: path('small'), size: 5 }, { kind: 'bytes', bytes: Buffer.from('small') });
    writer.add({ ...attributes, type: 'symlink', path: path('symlink'), mode: 0o777, target: '../x' });
    const { diffId, size: length } = writer.finish();
    expect(await thread.finish(length)).toBe(diffId);
    const made = await applyLayer({
      source: createReadStream(tar),
      below: new ChainView([]),
      tree: hostPath(applied),
      contentBelow: () => ({ path: hostPath('/') }),
    });
    expect(made.diffId).toBe(diffId);
    expect(listing(teed)).toBe(listing(applied));
    expect(listing(teed)).toContain(' ./a/b/link ');
    // Runs of zeros are holes in both.
    for (const root of [teed, applied])
      expect(lstatSync(join(root, 'a/b/big')).blocks * 512).toBeLessThan(size / 2);
  });

  test('follows a tar that ends with a hole while it is written', async () => {
    const [tar, tree] = [join(folder, 'layer.tar'), join(folder, 'tree')];
    mkdirSync(tree);
    const zeros = Buffer.alloc(3 << 20);
    const thread = new TreeThread(hostPath(tar), hostPath(tree));
    const writer = new LayerWriter(hostPath(tar), { onFlush: (end) => thread.written(end) });
    writer.addFile(
      { ...attributes, type: 'file', path: path('zeros'), size: zeros.length },
      { kind: 'bytes', bytes: zeros },
    );
    // The thread comes to the end of what there is.
    while (!existsSync(join(tree, 'zeros'))) await sleep(10);
    await sleep(100);
    const { diffId, size } = writer.finish();
    expect(await thread.finish(size)).toBe(diffId);
    expect(statSync(join(tree, 'zeros')).size).toBe(zeros.length);
  });

  test.each([{ isLarge: false }, { isLarge: true }])(
    'is not made any further, and gone, when nobody wants it any more: %o',
    async ({ isLarge }) => {
      const tree = join(folder, 'tree');
      mkdirSync(tree);
      const end = new AbortController();
      let given = 0;
      async function* source(): AsyncGenerator<Uint8Array> {
        yield encodeHeader({ ...attributes, type: 'file', name: 'big', size: MANY * PIECE.length });
        for (given = 0; given < MANY; given++) {
          await setImmediate();
          if (given === SOME) {
            expect(readdirSync(tree)).toEqual(['big']);
            end.abort();
          }
          yield PIECE;
        }
      }
      const below = new ChainView([]);
      const { signal } = end;
      const applied = applyLayer({ source: source(), isLarge, below, tree: hostPath(tree), signal });
      await expect(applied).rejects.toMatchObject({ name: 'AbortError' });
      expect(given).toBeLessThan(MANY / 2);
      expect(existsSync(tree)).toBe(false);
    },
  );
});

/** As large as a block of the memory that two threads share. */
const PIECE = Buffer.alloc(1 << 18, 'x');
const SOME = 30;
const MANY = 400;
