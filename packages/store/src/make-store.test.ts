import * as fs from 'node:fs';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, test, vi } from 'vitest';
import { indexText } from './image-index.ts';
import { openStore } from './store.ts';

vi.mock(import('node:fs'), { spy: true });

const folder = mkdtempSync(join(tmpdir(), 'caisson-make-'));
afterAll(() => rmSync(folder, { recursive: true }));

const FILES = {
  'oci-layout': '{"imageLayoutVersion":"1.0.0"}\n',
  'index.json': indexText([]),
  'store.json': '{"version":1}\n',
};

const said = (root: string): object =>
  Object.fromEntries(Object.keys(FILES).map((name) => [name, readFileSync(join(root, name), 'utf8')]));

test('is begun by several processes at once, each time', { timeout: 60_000 }, async () => {
  const rounds = Array.from({ length: 40 }, (_, round) => join(folder, `round-${round}`));
  // All of them open the next store at the same moment, which is agreed on before.
  const child = `
    const { openStore } = await import(${JSON.stringify(new URL('./store.ts', import.meta.url).href)});
    console.log('ready');
    const begin = await new Promise((resolve) => process.stdin.once('data', (text) => resolve(Number(text))));
    process.stdin.destroy();
    for (const [round, root] of ${JSON.stringify(rounds)}.entries()) {
      while (Date.now() < begin + 20 * round);
      const store = await openStore(root);
      await (async () => { await using session = store.session(); })();
      await store.images.descriptors();
      store[Symbol.dispose]();
    }`;
  const children = Array.from({ length: 4 }, () =>
    execa(process.execPath, ['--input-type=module', '-e', child]),
  );
  await Promise.all(
    children.map(async ({ stdout }) => new Promise((resolve) => stdout.once('data', resolve))),
  );
  const begin = Date.now() + 50;
  for (const { stdin } of children) stdin.end(`${begin}`);
  await Promise.all(children);
  for (const root of rounds) expect([said(root), readdirSync(join(root, 'tmp'))]).toEqual([FILES, []]);
});

test('is finished after it was ended anywhere in a file', async () => {
  for (const [count, name] of Object.keys(FILES).entries()) {
    const text = Object.values(FILES)[count] ?? '';
    for (const length of [0, 1, text.length - 1]) {
      for (const place of [name, 'tmp/new-01234567-89ab-cdef-0123-456789abcdef']) {
        const root = mkdtempSync(join(folder, 'ended-'));
        mkdirSync(join(root, 'tmp'));
        for (const [each, whole] of Object.entries(FILES).slice(0, count))
          writeFileSync(join(root, each), whole);
        writeFileSync(join(root, place), text.slice(0, length));
        using store = await openStore(root);
        expect(said(root)).toEqual(FILES);
        await store.session()[Symbol.asyncDispose]();
        expect(readdirSync(join(root, 'tmp'))).toEqual([]);
      }
    }
  }
});

test('is not taken for one that is just made where a file says something else', async () => {
  const root = join(folder, 'other');
  mkdirSync(join(root, 'tmp'), { recursive: true });
  writeFileSync(join(root, 'tmp/new-01234567-89ab-cdef-0123-456789abcdef'), 'mine');
  await expect(openStore(root)).rejects.toThrow(`the folder ${root} is no store, but not empty: it has tmp`);
  writeFileSync(join(root, 'store.json'), '{"version":"mine"}');
  await expect(openStore(root)).rejects.toThrow(
    `${join(root, 'store.json')} does not say which version the store ${root} has`,
  );
});

test('does without hard links where a file system has none', async () => {
  vi.mocked(fs.linkSync).mockImplementation(() => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
  });
  const root = join(folder, 'no-links');
  using _store = await openStore(root);
  vi.mocked(fs.linkSync).mockRestore();
  expect([said(root), readdirSync(join(root, 'tmp'))]).toEqual([FILES, []]);
});
