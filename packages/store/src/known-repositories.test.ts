import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { digestOf } from '@caisson/oci';
import { openStore, type Store } from './store.ts';

const BLOB = digestOf('blob');
const at = (repository: string, registry = 'localhost:5000') => ({ registry, repository });

let folder: string;
let store: Store;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  folder = mkdtempSync(join(tmpdir(), 'caisson-repositories-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
  vi.useRealTimers();
});

function note(...repositories: readonly string[]): void {
  for (const repository of repositories) {
    vi.advanceTimersByTime(1000);
    store.repositories.note(BLOB, at(repository));
  }
}

test('the last ones of the same registry are told, but for the one that asks', () => {
  note('one', 'two', 'three');
  store.repositories.note(BLOB, at('elsewhere', 'example.com'));
  expect(store.repositories.besides(at('four'), BLOB)).toEqual(['three', 'two']);
  expect(store.repositories.besides(at('three'), BLOB)).toEqual(['two', 'one']);
  note('one');
  expect(store.repositories.besides(at('three'), BLOB)).toEqual(['one', 'two']);
  expect(store.repositories.besides(at('one'), digestOf('another'))).toEqual([]);
});

test('another process knows them too', async () => {
  note('one');
  store[Symbol.dispose]();
  store = await openStore(store.root);
  expect(store.repositories.besides(at('two'), BLOB)).toEqual(['one']);
});
