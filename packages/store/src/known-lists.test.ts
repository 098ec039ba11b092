import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { digestOf } from '@caisson/oci';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KnownList } from './known-lists.ts';
import { openStore, type Store } from './store.ts';

let folder: string;
let context: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-lists-'));
  context = join(folder, 'context');
  mkdirSync(context);
  store = await openStore(join(folder, 'store'));
});
afterEach(() => {
  vi.useRealTimers();
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const OUTER = digestOf('outer');
const INNER = digestOf('inner');
const ROWS = new Map<string, KnownList>([
  ['', { stamp: 'one', digest: OUTER, folders: new Map([['in ä', INNER]]) }],
  ['in ä', { stamp: 'two', digest: INNER, folders: new Map() }],
]);
const TEXTS = new Map([
  [OUTER, 'outer'],
  [INNER, 'inner'],
]);

test('folders are known by context and view, as long as the texts of what they count as are', () => {
  store.lookUps.rememberLists(context, 'view', ROWS);
  expect(store.lookUps.lists(context, 'view')).toEqual(new Map());
  store.pastRecords.addParts(TEXTS);
  expect(store.lookUps.lists(context, 'view')).toEqual(ROWS);
  expect(store.lookUps.lists(context, 'another')).toEqual(new Map());
  expect(store.lookUps.lists(folder, 'view')).toEqual(new Map());
  store.pastRecords.shorten([INNER]);
  expect([...store.lookUps.lists(context, 'view').keys()]).toEqual(['in ä']);
});

test('folders that are gone are forgotten, and so is a context', () => {
  store.pastRecords.addParts(TEXTS);
  store.lookUps.rememberLists(context, 'view', ROWS);
  store.lookUps.rememberLists(context, 'view', new Map([['in ä', undefined]]));
  expect([...store.lookUps.lists(context, 'view').keys()]).toEqual(['']);
  const forget = (): void => store.forget({ unusedSince: 0, isKnown: () => true });
  forget();
  expect(store.lookUps.lists(context, 'view').size).toBe(1);
  rmSync(context, { recursive: true });
  forget();
  expect(store.lookUps.lists(context, 'view').size).toBe(0);
});

test('of a context, the last views are known', () => {
  store.pastRecords.addParts(TEXTS);
  const views = ['a', 'b', 'c', 'd', 'e'];
  vi.useFakeTimers({ toFake: ['Date'] });
  for (const view of views) {
    store.lookUps.rememberLists(context, view, ROWS);
    vi.setSystemTime(Date.now() + 1);
  }
  expect(views.filter((view) => store.lookUps.lists(context, view).size > 0)).toEqual(['b', 'c', 'd', 'e']);
});

test.each(['[["a"]]', '[["a","no digest"]]', '{}', '[', 'null'])('damage says nothing: %s', (folders) => {
  store.pastRecords.addParts(TEXTS);
  store.lookUps.rememberLists(context, 'view', ROWS);
  const database = new DatabaseSync(store.paths.database);
  database.prepare("UPDATE lists SET folders = ? WHERE folder = ''").run(folders);
  database.close();
  expect([...store.lookUps.lists(context, 'view').keys()]).toEqual(['in ä']);
});
