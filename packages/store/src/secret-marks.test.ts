import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import { openStore, type Store } from './store.ts';

const [STEP, OTHER] = [digestOf('step'), digestOf('other')];
const VALUE = Buffer.from('correct-horse');

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-secrets-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function remember(value: Uint8Array): Promise<void> {
  await using session = store.session();
  store.secretMarks.remember(session, STEP, 'npm', value);
}

async function reopen(): Promise<void> {
  store[Symbol.dispose]();
  store = await openStore(store.root);
}

test('a value is known again, by another process too, and is nowhere in the store', async () => {
  await remember(VALUE);
  await reopen();
  expect(store.secretMarks.hasChanged(STEP, 'npm', VALUE)).toBe(false);
  expect(store.secretMarks.hasChanged(STEP, 'npm', Buffer.from('other'))).toBe(true);
  expect(store.secretMarks.hasChanged(STEP, 'pip', VALUE)).toBeUndefined();
  expect(store.secretMarks.hasChanged(OTHER, 'npm', VALUE)).toBeUndefined();
  expect(statSync(store.paths.secretKey).mode & 0o7777).toBe(0o600);
  const files = readdirSync(store.root, { recursive: true, encoding: 'utf8' }).map((name) =>
    join(store.root, name),
  );
  const hex = digestOf(VALUE).slice('sha256:'.length);
  const telling = files.filter((path) => {
    if (!statSync(path).isFile()) return false;
    const bytes = readFileSync(path);
    return bytes.includes(VALUE) || bytes.includes(hex);
  });
  expect(telling).toEqual([]);
});

test('the key is made once', async () => {
  await remember(VALUE);
  const key = readFileSync(store.paths.secretKey);
  await reopen();
  await remember(Buffer.from('other'));
  expect(readFileSync(store.paths.secretKey)).toEqual(key);
});

test('nothing is told without the key, and one that is not whole is made anew', async () => {
  await remember(VALUE);
  truncateSync(store.paths.secretKey, 5);
  await reopen();
  expect(store.secretMarks.hasChanged(STEP, 'npm', VALUE)).toBeUndefined();
  await remember(VALUE);
  await reopen();
  expect(store.secretMarks.hasChanged(STEP, 'npm', VALUE)).toBe(false);
  expect(readFileSync(store.paths.secretKey)).toHaveLength(32);
});

test('nothing is told without the database', async () => {
  await remember(VALUE);
  store[Symbol.dispose]();
  for (const name of readdirSync(store.root))
    if (name.startsWith('caisson.db')) rmSync(join(store.root, name));
  store = await openStore(store.root);
  expect(store.secretMarks.hasChanged(STEP, 'npm', VALUE)).toBeUndefined();
});
