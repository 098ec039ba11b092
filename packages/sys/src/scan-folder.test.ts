import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FILE_TYPE, makeNode } from './file-system.ts';
import type { FileStats } from './folder-scan.ts';
import { scanFolder } from './scan-folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-scan-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a stat says of a file. */
function said(stats: FileStats): unknown {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, mtimeNs, ctimeNs } = stats;
  const types = [
    stats.isFile(),
    stats.isDirectory(),
    stats.isSymbolicLink(),
    stats.isFIFO(),
    stats.isSocket(),
    stats.isBlockDevice(),
  ];
  return { dev, ino, mode, nlink, uid, gid, rdev, size, mtimeNs, ctimeNs, types };
}

function scanned(): Record<string, unknown> {
  const scan = scanFolder(folder);
  return Object.fromEntries(scan.list().map((name, index) => [name, said(scan.at(index))]));
}

function seen(): Record<string, unknown> {
  const scan = scanFolder(folder);
  return Object.fromEntries(
    scan.list().map((name) => {
      const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
      return [name, said(lstatSync(path, { bigint: true }))];
    }),
  );
}

test('all that is in a folder has the stat that lstat gives', () => {
  expect(scanFolder(folder)).toMatchObject({ count: 0 });
  expect(scanFolder(folder).list()).toEqual([]);
  writeFileSync(join(folder, 'file'), 'content');
  linkSync(join(folder, 'file'), join(folder, '..name'));
  writeFileSync(Buffer.from(`${folder}/\xff\xfe`, 'latin1'), '');
  writeFileSync(join(folder, 'ä'), '');
  chmodSync(join(folder, 'file'), 0o4711);
  if (process.getuid?.() === 0) chownSync(join(folder, 'file'), 5, 70_000);
  utimesSync(join(folder, 'ä'), -1.5, 5_000_000_000);
  mkdirSync(join(folder, '.hidden'));
  symlinkSync('nowhere', join(folder, 'link'));
  makeNode(join(folder, 'pipe'), FILE_TYPE.fifo | 0o600, { major: 0, minor: 0 });
  expect(Object.keys(scanned()).toSorted()).toEqual(
    ['..name', '.hidden', 'file', 'link', 'pipe', 'Ã¤', 'ÿþ'].toSorted(),
  );
  expect(scanned()).toEqual(seen());
});

test('a large folder is whole', () => {
  for (let number = 0; number < 5000; number++) writeFileSync(join(folder, `a-file-of-number-${number}`), '');
  expect(new Set(scanFolder(folder).list()).size).toBe(5000);
  expect(scanned()).toEqual(seen());
});

test('what is no folder is none, and no link to one is followed', () => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('.', join(folder, 'link'));
  for (const [name, code] of [
    ['file', 'ENOTDIR'],
    ['link', 'ENOTDIR'],
    ['none', 'ENOENT'],
  ] as const)
    expect(() => scanFolder(join(folder, name))).toThrow(code);
});

test('what changed a moment ago does not rest', () => {
  writeFileSync(join(folder, 'file'), '');
  const changed = lstatSync(join(folder, 'file')).ctimeMs;
  const scan = scanFolder(folder);
  expect(scan.isOlderThan(changed + 1, changed + 1)).toBe(true);
  expect(scan.isOlderThan(changed - 1, changed + 1)).toBe(false);
});
