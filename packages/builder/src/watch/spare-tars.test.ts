import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Toc } from '@caisson/layer';
import { asDiffId, digestOf, type DiffId } from '@caisson/oci';
import { formId, openStore, type Session, type Store } from '@caisson/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SpareTars } from './spare-tars.ts';

const TOC = new Toc([]);

let folder: string;
let stack: AsyncDisposableStack;
let store: Store;
let session: Session;
let spares: SpareTars;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-spares-'));
  stack = new AsyncDisposableStack();
  store = stack.use(await openStore(join(folder, 'store')));
  session = stack.use(store.session());
  spares = stack.use(new SpareTars(session));
});
afterEach(async () => {
  await stack.disposeAsync();
  rmSync(folder, { recursive: true });
});

/** A step writes a layer, which the store has. */
async function write(step: string, text: string): Promise<DiffId> {
  const { digest } = await store.blobs.putBytes(session, Buffer.from(text));
  const diffId = asDiffId(digest);
  spares.wrote(step, { diffId, toc: TOC });
  return diffId;
}

const letGo = (...layers: readonly DiffId[]): Promise<void> =>
  spares.keepFrom(
    store,
    (layer) => layers.includes(layer),
    async () => {
      for (const layer of layers) await store.blobs.remove(layer);
    },
  );

/** What a step is given to write over. */
function taken(step: string): string | undefined {
  const path = join(folder, 'taken');
  return spares.take(step, path) === undefined ? undefined : readFileSync(path, 'utf8');
}

test('a step is given the tars of its own that are gone, the last one first', async () => {
  const [first, second, other] = [
    await write('a', 'one'),
    await write('a', 'two'),
    await write('b', 'other'),
  ];
  await letGo(first, other);
  await letGo(second);
  expect(taken('a')).toBe('two');
  expect(taken('a')).toBe('one');
  expect(taken('a')).toBeUndefined();
  expect(taken('b')).toBe('other');
  expect(taken('c')).toBeUndefined();
  expect(readdirSync(session.tmp)).toEqual([]);
});

test('no step has more than eight', async () => {
  const layers: DiffId[] = [];
  for (let number = 0; number < 10; number++) layers.push(await write('a', String(number)));
  await letGo(...layers);
  expect(Array.from({ length: 10 }, () => taken('a'))).toEqual([
    '9',
    '8',
    '7',
    '6',
    '5',
    '4',
    '3',
    '2',
    undefined,
    undefined,
  ]);
});

test('what stays in the store, or has another name somewhere, is not given', async () => {
  const [kept, named] = [await write('a', 'kept'), await write('b', 'named')];
  linkSync(store.blobs.path(named), join(folder, 'name'));
  await spares.keepFrom(
    store,
    () => true,
    () => store.blobs.remove(named),
  );
  expect(taken('a')).toBeUndefined();
  expect(taken('b')).toBeUndefined();
  expect(statSync(store.blobs.path(kept)).nlink).toBe(1);
  expect(readdirSync(session.tmp)).toEqual([]);
});

test('nor is what somebody has touched since, or what was never there', async () => {
  const layer = await write('a', 'one');
  spares.wrote('b', { diffId: asDiffId(digestOf('nothing')), toc: TOC });
  await letGo(layer, asDiffId(digestOf('nothing')));
  const [name = ''] = readdirSync(session.tmp);
  writeFileSync(join(session.tmp, name), 'two');
  expect(taken('a')).toBeUndefined();
  expect(taken('b')).toBeUndefined();
});

test('nor is a layer that has a map, or had one: it may be mounted still', async () => {
  const [mapped, unmapped] = [await write('a', 'one'), await write('b', 'two')];
  for (const layer of [mapped, unmapped]) {
    const map = session.newPath('map');
    writeFileSync(map, 'map');
    await store.maps.adopt(session, formId('layer', layer), { map, tar: undefined });
  }
  await store.maps.remove(formId('layer', unmapped), 'map');
  expect(await store.blobs.has(session, unmapped)).toBe(true);
  await letGo(mapped, unmapped);
  expect(taken('a')).toBeUndefined();
  expect(taken('b')).toBeUndefined();
});

test('a step gets a copy of the last layer that it wrote, where it has no other', async () => {
  const { signal } = new AbortController();
  const first = await write('a', 'one');
  const second = await write('a', 'two');
  await spares.prepare(store, signal);
  await spares.prepare(store, signal);
  expect(readdirSync(session.tmp)).toHaveLength(1);
  expect(taken('a')).toBe('two');
  expect(taken('b')).toBeUndefined();
  expect(readFileSync(store.blobs.path(second), 'utf8')).toBe('two');
  await letGo(first);
  await spares.prepare(store, signal);
  expect(taken('a')).toBe('one');
  expect(taken('a')).toBeUndefined();
});

test('there is no copy of what has gone, nor when it is told to end', async () => {
  await write('a', 'one');
  await spares.prepare(store, AbortSignal.abort());
  await store.blobs.remove(await write('a', 'two'));
  await spares.prepare(store, new AbortController().signal);
  expect(readdirSync(session.tmp)).toEqual([]);
  await write('a', 'three');
  await spares.prepare(store, AbortSignal.abort());
  expect(readdirSync(session.tmp)).toEqual([]);
});

test('a large one is copied where a step writes one again and again', async () => {
  const { signal } = new AbortController();
  const large = Buffer.alloc(129 << 20).toString('latin1');
  await write('a', `${large}1`);
  await spares.prepare(store, signal);
  expect(readdirSync(session.tmp)).toEqual([]); // nobody has edited what it copies
  await write('a', `${large}2`);
  await spares.prepare(store, signal);
  expect(taken('a')?.at(-1)).toBe('2');
});
