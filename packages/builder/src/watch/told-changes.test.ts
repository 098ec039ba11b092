import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ToldChanges } from './told-changes.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-told-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('one edit is news once, the next one is news again', () => {
  const told = new ToldChanges();
  const path = join(folder, 'file');
  const twice = (): boolean[] => [told.isNews(path), told.isNews(path)];
  expect(twice()).toEqual([true, false]); // it is gone
  writeFileSync(path, 'a');
  expect(twice()).toEqual([true, false]);
  writeFileSync(join(folder, 'next'), 'b');
  renameSync(join(folder, 'next'), path);
  expect(twice()).toEqual([true, false]);
  rmSync(path);
  expect(twice()).toEqual([true, false]);
  told.clear();
  expect(twice()).toEqual([true, false]);
});

test('a folder is always news: it may be told of for what is in it', () => {
  const told = new ToldChanges();
  expect([told.isNews(folder), told.isNews(folder)]).toEqual([true, true]);
});
