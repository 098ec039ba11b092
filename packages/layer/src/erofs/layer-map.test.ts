import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { mount, MOUNT, unmount } from '@caisson/sys';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bytesOf, cleanPath, hostPath } from '../byte-path.ts';
import type { Entry, FileEntry } from '../entry.ts';
import { Toc } from '../toc.ts';
import { layerMap } from './layer-map.ts';
import {
  cannotCheck,
  cannotMount,
  contents,
  fsck,
  makeForms,
  mountMap,
  newMapFolder,
} from './testing/map-rig.ts';
import { randomLayer, writeLayer, type LayerLine } from './testing/random-layer.ts';
import { isMapOf, writeMap } from './write-map.ts';

let folder: string;
beforeEach(() => {
  folder = newMapFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (text: string) => cleanPath(bytesOf(text));
const attributes = { mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 1_700_000_000, nanoseconds: 1 } };
const NOTHING = Buffer.alloc(0);

function fileAt(text: string, more: Partial<FileEntry> = {}): FileEntry {
  return { ...attributes, type: 'file', path: path(text), size: 0, ...more };
}

function folderAt(text: string): Entry {
  return { ...attributes, type: 'directory', mode: 0o755, path: path(text) };
}

function whiteout(text: string): Entry {
  return { type: 'whiteout', path: path(text) };
}

function lines(...entries: readonly Entry[]): LayerLine[] {
  return entries.map((entry) => ({ entry, content: NOTHING }));
}

test('a map is the same each time, and nothing else is taken for it', () => {
  const tar = join(folder, 'tar');
  const { toc } = writeLayer(lines(folderAt('a'), fileAt('a/b'), fileAt('c')), tar);
  const map = hostPath(join(folder, 'map'));
  writeMap(toc, map);
  expect(isMapOf(toc, map)).toBe(true);
  expect(isMapOf(new Toc(toc.entries.slice(0, -1)), map)).toBe(false);
  const longer = join(folder, 'longer');
  copyFileSync(map, longer);
  const fd = openSync(longer, 'a');
  writeSync(fd, 'x');
  closeSync(fd);
  expect(isMapOf(toc, hostPath(longer))).toBe(false);
});

test("overlayfs's own attributes and the device 0:0 do not get into a map", () => {
  const xattrs = new Map([
    ['trusted.overlay.opaque', Buffer.from('y')],
    ['user.overlay.whiteout', Buffer.from('y')],
    ['user.kept', Buffer.from('v')],
  ]);
  const bytes = Buffer.concat([...layerMap(new Toc([fileAt('a', { xattrs })]))]).toString('latin1');
  expect(bytes).toContain('keptv');
  expect(bytes).not.toContain('overlay');
  const device: Entry = { ...attributes, type: 'char', path: path('gone'), major: 0, minor: 0 };
  expect(() => [...layerMap(new Toc([device]))]).toThrow(
    'the layer holds the device 0:0 at gone, which would hide a file',
  );
});

const why = cannotMount();
describe.skipIf(why !== undefined)(`the map of a layer${why === undefined ? '' : ` (${why})`}`, () => {
  const whyNotChecked = cannotCheck();

  test('shows what its tree shows, whatever is in it', { timeout: 60_000 }, async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(randomLayer, async (layer) => {
        const tar = join(folder, `${round++}.tar`);
        writeLayer(layer, tar);
        using forms = await makeForms(folder, tar);
        expect(contents(forms.mounted)).toEqual(contents(forms.tree));
        rmSync(tar);
      }),
      { numRuns: 100 },
    );
  });

  test.skipIf(whyNotChecked !== undefined)(
    `is one that fsck.erofs finds nothing wrong with${whyNotChecked === undefined ? '' : ` (${whyNotChecked})`}`,
    { timeout: 60_000 },
    () => {
      let round = 0;
      fc.assert(
        fc.property(randomLayer, (layer) => {
          const [tar, map] = [join(folder, `${round++}.tar`), join(folder, `${round++}.erofs`)];
          writeMap(writeLayer(layer, tar).toc, hostPath(map));
          expect(fsck(map, tar)).toBe('');
        }),
        { numRuns: 100 },
      );
    },
  );

  test('holds folders of one name and of 5,000, and names of 255 bytes', async () => {
    const many = Array.from({ length: 5000 }, (_, index) =>
      fileAt(`many/${'n'.repeat(index % 250)}${index}`),
    );
    const entries = [folderAt('one'), fileAt(`one/${'é'.repeat(127)}x`), folderAt('many'), ...many];
    const tar = join(folder, 'tar');
    writeLayer(lines(...entries), tar);
    using forms = await makeForms(folder, tar);
    expect(contents(forms.mounted)).toEqual(contents(forms.tree));
    expect(readdirSync(join(forms.mounted, 'many'))).toHaveLength(5000);
  });

  test('holds attributes of more than one block', async () => {
    const big = new Map(
      Array.from({ length: 3 }, (_, index): [string, Buffer] => [`user.n${index}`, Buffer.alloc(900, index)]),
    );
    const tar = join(folder, 'tar');
    writeLayer(lines(fileAt('a', { xattrs: big }), folderAt('b'), fileAt('b/c', { xattrs: big })), tar);
    using forms = await makeForms(folder, tar);
    expect(contents(forms.mounted)).toEqual(contents(forms.tree));
  });

  test('says to an overlay what is gone, as the tree does', async () => {
    const [lower, upper] = [join(folder, 'lower.tar'), join(folder, 'upper.tar')];
    const below = writeLayer(
      lines(folderAt('d'), fileAt('d/old'), folderAt('e'), fileAt('e/kept'), fileAt('gone'), fileAt('stays')),
      lower,
    );
    writeLayer(
      // A whiteout beside a folder: what was in it is gone.
      lines(whiteout('d'), folderAt('d'), fileAt('d/new'), whiteout('gone')),
      upper,
    );
    using first = await makeForms(folder, lower);
    using second = await makeForms(folder, upper, [below.toc]);
    const shown = ['mounted', 'tree'].map((form) => {
      const target = join(folder, `over-${form}`);
      mkdirSync(target);
      const stack = form === 'mounted' ? [second.mounted, first.mounted] : [second.tree, first.tree];
      mount({
        source: 'overlay',
        target,
        type: 'overlay',
        flags: MOUNT.readOnly,
        data: `lowerdir=${stack.join(':')}`,
      });
      try {
        return contents(target);
      } finally {
        unmount(target);
      }
    });
    expect(shown[0]).toEqual(shown[1]);
    expect(shown[0]?.join('\n')).not.toMatch(/gone|old/);
  });

  test('reads files beyond the first 4 GiB of a tar', async () => {
    const [tar, map, target] = ['tar', 'map', 'target'].map((name) => join(folder, name));
    if (tar === undefined || map === undefined || target === undefined) throw new Error('unreachable');
    const offset = 5 * 2 ** 30 + 512;
    const fd = openSync(tar, 'wx');
    writeSync(fd, 'far away', offset);
    ftruncateSync(fd, offset + 512);
    closeSync(fd);
    writeMap(
      new Toc([fileAt('near', { size: 3, offset: 512 }), fileAt('far', { size: 8, offset })]),
      hostPath(map),
    );
    mkdirSync(target);
    mountMap(map, tar, target);
    try {
      expect(readFileSync(join(target, 'far'), 'latin1')).toBe('far away');
      expect(readFileSync(join(target, 'near'))).toEqual(Buffer.alloc(3));
    } finally {
      unmount(target);
    }
  });

  test('of 100,000 files is mounted as quickly as a small one', { timeout: 60_000 }, () => {
    const entries: Entry[] = [];
    for (let at = 0; at < 100_000; at++) {
      if (at % 1000 === 0) entries.push(folderAt(`d${at / 1000}`));
      entries.push(fileAt(`d${Math.floor(at / 1000)}/f${at}`, { size: 1, offset: 512 }));
    }
    const [tar, map, target] = ['tar', 'map', 'target'].map((name) => join(folder, name));
    if (tar === undefined || map === undefined || target === undefined) throw new Error('unreachable');
    closeSync(openSync(tar, 'wx'));
    execFileSync('truncate', ['-s', '4096', tar]);
    writeMap(new Toc(entries), hostPath(map));
    expect(statSync(map).size).toBeLessThan(150 * 100_000);
    mkdirSync(target);
    mountMap(map, tar, target);
    try {
      expect(readdirSync(target)).toHaveLength(100);
      expect(readdirSync(join(target, 'd99'))).toHaveLength(1000);
      expect(lstatSync(join(target, 'd99/f99999')).size).toBe(1);
    } finally {
      unmount(target);
    }
  });
});
