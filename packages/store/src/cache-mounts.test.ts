import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from './store.ts';

test('a cache that two remove at the same time is gone for both', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'caisson-cache-mounts-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  using store = await openStore(join(folder, 'store'));
  await using session = store.session();
  const { cacheMounts } = store;
  const name = { id: 'cache', uid: 0, gid: 0, mode: 0o755 };
  (await cacheMounts.open(name, 'locked', session))[Symbol.dispose]();
  const [slot = ''] = cacheMounts.slots();
  expect(await cacheMounts.remove(session, slot)).toBe(true);
  // Who listed it before finds nothing.
  expect(await cacheMounts.remove(session, slot)).toBe(true);
  expect(existsSync(`${cacheMounts.path(slot)}.lock`)).toBe(false);
});
