import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Toc, encodeToc } from '@caisson/layer';
import { asDiffId, digestOf } from '@caisson/oci';
import { formId, openStore, type FormId } from '@caisson/store';
import { cleanPath, bytesOf } from '@caisson/layer';
import { afterAll, expect, test } from 'vitest';
import { StoredTocs } from './stored-tocs.ts';

const folder = mkdtempSync(join(tmpdir(), 'caisson-tocs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const formOf = (name: string): FormId => formId('layer', asDiffId(digestOf(name)));
const tocOf = (count: number): Toc =>
  new Toc(
    Array.from({ length: count }, (_, number) => ({
      type: 'directory',
      path: cleanPath(bytesOf(String(number))),
      mode: 0o755,
      uid: 0,
      gid: 0,
      mtime: { seconds: 0, nanoseconds: 0 },
    })),
  );

test('those that were asked for last are kept, as long as they are in the store', async () => {
  using store = await openStore(join(folder, 'store'));
  await using session = store.session();
  const forms = ['a', 'b', 'c'].map(formOf);
  const [a = formOf(''), b = formOf(''), c = formOf('')] = forms;
  for (const form of forms) await store.forms.putToc(session, form, encodeToc(tocOf(3)));
  const tocs = new StoredTocs(store, 6);
  const first = await tocs.get(session, a);
  expect(first?.entries).toHaveLength(3);
  expect(await tocs.get(session, a)).toBe(first);
  const second = await tocs.get(session, b);
  expect(await tocs.get(session, a)).toBe(first);
  await tocs.get(session, c);
  expect(await tocs.get(session, a)).toBe(first);
  expect(await tocs.get(session, b)).not.toBe(second);
  await store.forms.removeToc(b);
  expect(await tocs.get(session, b)).toBeUndefined();
});

test('none is kept unless that is asked for', async () => {
  using store = await openStore(join(folder, 'store'));
  await using session = store.session();
  const tocs = new StoredTocs(store);
  const first = await tocs.get(session, formOf('a'));
  expect(first?.entries).toHaveLength(3);
  expect(await tocs.get(session, formOf('a'))).not.toBe(first);
});
