import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolders } from './make-folders.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-folders-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('what is missing is made, and what is there is as good', () => {
  makeFolders(join(folder, 'a/b/c'));
  makeFolders(join(folder, 'a/b/c/'));
  symlinkSync('a', join(folder, 'link'));
  makeFolders(join(folder, 'link/b/d'));
  expect(readdirSync(join(folder, 'a/b')).toSorted()).toEqual(['c', 'd']);
});

test.each([
  ['file', 'EEXIST'],
  ['file/x', 'ENOTDIR'],
  ['file/x/y', 'ENOTDIR'],
  ['nowhere', 'EEXIST'], // a link to nothing
])('%s cannot be one: %s', (name, code) => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('missing', join(folder, 'nowhere'));
  expect(() => makeFolders(join(folder, name))).toThrow(expect.objectContaining({ code }));
});

test('where no file system makes any, it comes back', () => {
  expect(() => makeFolders('/proc/caisson/x/y')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
