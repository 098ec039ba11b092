import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asDiffId, digestOf, type DiffId } from '@caisson/oci';
import { openStore, type Session, type Store } from '@caisson/store';
import { SpareTars } from './spare-tars.ts';
import { Superseded } from './superseded.ts';

let folder: string;
let store: Store;
let own: Session;
let superseded: Superseded;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-superseded-'));
  store = await openStore(join(folder, 'store'));
  own = store.session();
  superseded = new Superseded(new SpareTars(own));
});
afterEach(async () => {
  await own[Symbol.asyncDispose]();
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const keyOf = (name: string) => digestOf(`key of ${name}`);
const stateOf = (name: string) => digestOf(`state of ${name}`);

/** A step leaves a record, and its layer. @param key where it is not that of the layer */
async function addStep(name: string, key = keyOf(name)): Promise<DiffId> {
  await using session = store.session();
  const bytes = Buffer.from(name);
  const path = session.newPath('layer');
  writeFileSync(path, bytes);
  const diffId = asDiffId(digestOf(bytes));
  const layer = { diffId, size: bytes.length, contentDigest: digestOf(name) };
  await store.blobs.adopt(session, path, { digest: diffId, size: bytes.length });
  const facts = { created: '2026-01-01T00:00:00Z', stage: '0', dockerfile: 'Dockerfile', text: 'RUN x' };
  const record = { key, keyRecord: { op: 'run' }, layer, ...facts };
  await store.records.put(session, record);
  store.pastRecords.add(record, new Map());
  store.lookUps.rememberSelection(stateOf(name), stateOf(name), key);
  return diffId;
}

/** A build of one step, which gives the image of its layer. @param size what its layer is said to take */
async function build(name: string, made: 'nothing' | 'layer' = 'layer', size = 1): Promise<void> {
  superseded.begin();
  const diffId = made === 'layer' ? await addStep(name) : asDiffId(digestOf(name));
  superseded.note({ key: keyOf(name), state: stateOf(name), layer: { diffId, size }, made });
  superseded.built(digestOf(`image of ${name}`));
  await superseded.remove(store);
}

const isThere = (name: string): boolean => store.blobs.size(digestOf(name)) !== undefined;

async function rememberedOf(names: readonly string[]): Promise<string[]> {
  const records = new Set((await store.records.list()).map(({ key }) => key));
  return names.filter((name) => {
    const facts = [
      isThere(name),
      records.has(keyOf(name)),
      store.pastRecords.has(keyOf(name)),
      store.lookUps.selection(stateOf(name), stateOf(name)) !== undefined,
    ];
    expect(new Set(facts).size).toBe(1); // all of it, or nothing
    return isThere(name);
  });
}

test('the last builds stay with all that is known of them, and no others: ten at least, twenty at most', async () => {
  const names = Array.from({ length: 100 }, (_, number) => `build ${number}`);
  for (const [index, name] of names.entries()) {
    await build(name);
    const kept = await rememberedOf(names);
    expect(kept).toEqual(names.slice(index + 1 - kept.length, index + 1));
    expect(kept.length).toBeGreaterThanOrEqual(Math.min(10, index + 1));
    expect(kept.length).toBeLessThanOrEqual(20);
  }
});

test('to and fro between two images counts as two', async () => {
  await build('first');
  await build('second');
  for (let times = 0; times < 30; times++) {
    await build('third', times === 0 ? 'layer' : 'nothing');
    await build('fourth', times === 0 ? 'layer' : 'nothing');
  }
  expect(await rememberedOf(['first', 'second', 'third', 'fourth'])).toHaveLength(4);
});

test('large layers go at once, but for those of the last two images and of the build that runs', async () => {
  for (const name of ['one', 'two', 'three']) await build(name, 'layer', 400_000_000);
  expect(await rememberedOf(['one', 'two', 'three'])).toEqual(['one', 'two', 'three']);
  await build('four', 'layer', 400_000_000);
  expect(await rememberedOf(['one', 'two', 'three', 'four'])).toEqual(['three', 'four']);
  superseded.begin(); // and fails
  const layer = { diffId: await addStep('five'), size: 900_000_000 };
  superseded.note({ key: keyOf('five'), state: stateOf('five'), layer, made: 'layer' });
  await superseded.remove(store);
  expect(await rememberedOf(['three', 'four', 'five'])).toEqual(['three', 'four', 'five']);
  await build('three', 'nothing', 400_000_000);
  expect(await rememberedOf(['three', 'four', 'five'])).toEqual(['three', 'four']);
});

test('what failed builds made goes as well', async () => {
  await build('good');
  const names = Array.from({ length: 30 }, (_, number) => `failed ${number}`);
  for (const name of names) {
    superseded.begin();
    const layer = { diffId: await addStep(name), size: 1 };
    superseded.note({ key: keyOf(name), state: stateOf(name), layer, made: 'layer' });
    await superseded.remove(store);
  }
  const kept = await rememberedOf(names);
  expect(kept).toEqual(names.slice(-kept.length));
  expect(kept.length).toBeLessThanOrEqual(20);
  expect(isThere('good')).toBe(true);
});

test('a layer that was there before stays, and so does one that somebody holds, until nobody does', async () => {
  await addStep('of another build');
  await build('of another build', 'nothing');
  await build('held', 'layer');
  const other = store.session();
  await other.hold(digestOf('held'));
  for (let number = 0; number < 40; number++) await build(`build ${number}`);
  expect(isThere('held')).toBe(true);
  expect(await rememberedOf(['of another build'])).toEqual(['of another build']);
  await other[Symbol.asyncDispose]();
  for (let number = 40; number < 60; number++) await build(`build ${number}`);
  expect(isThere('held')).toBe(false);
});

test('of many records that lead to one layer the old ones go', async () => {
  for (let number = 0; number < 50; number++) {
    superseded.begin();
    const key = keyOf(`${number}`);
    const layer = { diffId: await addStep('same', key), size: 1 };
    superseded.note({ key, state: stateOf('same'), layer, made: number === 0 ? 'layer' : 'record' });
    superseded.built(digestOf(`image ${number}`));
    await superseded.remove(store);
  }
  const keys = (await store.records.list()).map(({ key }) => key);
  expect(keys).toContain(keyOf('49'));
  expect(keys.length).toBeLessThanOrEqual(20);
  expect(isThere('same')).toBe(true);
});
