import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { asDiffId, digestOf, MEDIA_TYPES } from '@caisson/oci';
import { formId, openStore, type Session, type StepRecord, type Store } from '@caisson/store';
import type { BuildEvent } from '../events.ts';
import { stepKey } from '../solve/key.ts';
import { EMPTY_STATE, withLayer, type FileState } from '../state.ts';
import { decodeCache } from './cache-document.ts';
import { CacheExport, type CacheMode } from './cache-export.ts';
import type { CachePlace } from './cache-place.ts';
import { ImportedCache, LostLayer } from './imported-cache.ts';
import { FakePlace } from './testing/fake-place.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A machine with a store of its own. */
class Machine implements AsyncDisposable {
  readonly events: BuildEvent[] = [];
  readonly tools;
  readonly store: Store;
  readonly session: Session;

  constructor(store: Store) {
    this.store = store;
    this.session = store.session();
    const emit = (event: BuildEvent): void => void this.events.push(event);
    this.tools = { store, session: this.session, emit, signal: new AbortController().signal };
  }

  get warnings(): string[] {
    return this.events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
  }

  imports(...places: CachePlace[]): ImportedCache {
    return new ImportedCache(places, this.tools);
  }

  exports(place: CachePlace, mode: CacheMode, imported = this.imports()): CacheExport {
    return new CacheExport(place, { mode, compression: 'none' }, { ...this.tools, imported });
  }

  /** Does a step that writes a file. */
  async run(name: string, content = name): Promise<StepRecord> {
    const archive = pack();
    archive.entry({ name, mtime: new Date(0) }, content);
    archive.finalize();
    const { digest, size } = await this.store.blobs.putBytes(this.session, await buffer(archive));
    const keyRecord = { op: 'RUN', version: 1, state: digestOf('state'), command: name };
    return {
      key: stepKey(keyRecord),
      keyRecord,
      layer: { diffId: asDiffId(digest), size, contentDigest: digestOf(content) },
      created: '2026-01-01T00:00:00Z',
      stage: '0',
      dockerfile: 'Dockerfile',
      text: `RUN ${name}`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
    this.store[Symbol.dispose]();
  }
}

const machine = async (name: string): Promise<Machine> => new Machine(await openStore(join(folder, name)));

/** A state with the layers of some records. */
function stateOf(...records: readonly StepRecord[]): FileState {
  return records.reduce((below, { layer: { diffId, size, contentDigest: content }, created }) => {
    const descriptor = { mediaType: MEDIA_TYPES.ociLayerTar, digest: diffId, size };
    return withLayer(below, { diffId, content, form: formId('layer', diffId), descriptor, created });
  }, EMPTY_STATE);
}

/** A cache with what steps gave that ran somewhere. */
async function cacheOf(title: string, ...steps: readonly (readonly [name: string, content?: string])[]) {
  await using there = await machine(`origin of ${title}`);
  const place = new FakePlace(title);
  const records = await Promise.all(steps.map(([name, content]) => there.run(name, content)));
  await using exported = there.exports(place, 'max');
  for (const record of records) exported.add(record);
  await exported.finish(stateOf().layers);
  return { place, records };
}

/** The instructions of the records in a cache. */
function textsIn(place: FakePlace): string[] {
  const { config } = place.manifest ?? {};
  const document = config === undefined ? undefined : decodeCache(place.bytes(config.digest));
  return (document?.records ?? []).map(({ record }) => record.text).toSorted();
}

describe('exporting what was imported', () => {
  test('leaves out what is lost on its way, and nothing else', async () => {
    const { place, records } = await cacheOf('one', ['a'], ['b'], ['c']);
    const [a, b] = records;
    if (a === undefined || b === undefined) throw new Error('no records');
    place.damaged.add(a.layer.diffId).add(b.layer.diffId);
    await using here = await machine('here');
    const imported = here.imports(place);
    const to = new FakePlace('to');
    await using exported = here.exports(to, 'max', imported);
    for (const { key } of records) {
      const found = await imported.find(key);
      if (found !== undefined) exported.add(found);
    }
    await expect(imported.provide(a.layer.diffId)).rejects.toThrow(LostLayer);
    expect(await imported.isLost(a.key)).toBe(true);
    // The step of one runs again.
    exported.add(await here.run('a'));
    await exported.finish(stateOf().layers);
    expect(textsIn(to)).toStrictEqual(['RUN a', 'RUN c']);
    expect(here.events.at(-1)).toStrictEqual({ kind: 'cache-exported', to: 'to', records: 2 });
    expect(here.warnings).toStrictEqual(
      [a, b].map(({ layer }) => `a layer of one cannot be used: its blob ${layer.diffId} is damaged`),
    );
  });
});

describe('a cache with the layers of the image alone', () => {
  test('has the records of every step, and loses those of a stage when bytes of it are needed', async () => {
    await using there = await machine('there');
    const [a, b] = [await there.run('a'), await there.run('b')];
    const c = { ...(await there.run('c')), stage: 'final' };
    const other = { ...(await there.run('other')), stage: 'other' };
    const place = new FakePlace('one');
    await using exported = there.exports(place, 'min');
    for (const record of [a, b, c, other]) exported.add(record);
    await exported.finish(stateOf(c).layers);
    expect(textsIn(place)).toStrictEqual(['RUN a', 'RUN b', 'RUN c', 'RUN other']);
    expect(place.blobs.has(a.layer.diffId)).toBe(false);

    await using here = await machine('here');
    const imported = here.imports(place);
    for (const record of [a, b, c, other]) expect(await imported.find(record.key)).toMatchObject(record);
    expect(await imported.provide(c.layer.diffId)).toBe(true);
    expect(imported.elsewhere(a.layer.diffId)).toBeUndefined();
    await expect(imported.provide(a.layer.diffId)).rejects.toThrow(LostLayer);
    expect(await imported.find(a.key)).toBeUndefined();
    expect(await imported.isLost(b.key)).toBe(true);
    expect(await imported.find(c.key)).toMatchObject(c);
    expect(await imported.find(other.key)).toMatchObject(other);
    expect(() => imported.refuse(other.layer.diffId)).toThrow(LostLayer);
    expect(await imported.find(other.key)).toBeUndefined();
    expect(here.warnings).toStrictEqual([]);
  });
});

describe('exporting', () => {
  test('gives the same cache whichever step came first', async () => {
    await using there = await machine('there');
    const records = [await there.run('a'), await there.run('b')];
    const selections = ['x', 'y'].map((text) => ({
      state: digestOf(text),
      selection: digestOf('selection'),
      digest: digestOf('digest'),
    }));
    const configs: unknown[] = [];
    for (const inOrder of [records, records.toReversed()]) {
      const place = new FakePlace('one');
      await using exported = there.exports(place, 'max');
      for (const record of inOrder) exported.add(record);
      for (const each of inOrder === records ? selections : selections.toReversed())
        exported.addSelection(each);
      await exported.finish(stateOf().layers);
      configs.push(place.manifest);
    }
    expect(configs[0]).toBeDefined();
    expect(configs[1]).toStrictEqual(configs[0]);
  });
});

describe('importing', () => {
  test('takes from a second cache what is damaged in the first', async () => {
    const one = await cacheOf('one', ['a'], ['b', 'as the first machine ran it']);
    const two = await cacheOf('two', ['a'], ['b', 'as the second ran it']);
    for (const { layer } of one.records) one.place.damaged.add(layer.diffId);
    await using here = await machine('here');
    const imported = here.imports(one.place, two.place);
    const [a, b] = one.records;
    const [, otherB] = two.records;
    if (a === undefined || b === undefined || otherB === undefined) throw new Error('no records');
    await imported.find(a.key);
    expect(await imported.provide(a.layer.diffId)).toBe(true);
    expect(here.store.blobs.size(a.layer.diffId)).toBe(a.layer.size);
    // Its layer is another there: what stood on the first is solved again.
    expect(await imported.find(b.key)).toMatchObject(b);
    await expect(imported.provide(b.layer.diffId)).rejects.toThrow(LostLayer);
    expect(await imported.isLost(b.key)).toBe(false);
    expect(await imported.find(b.key)).toMatchObject(otherB);
    expect(await imported.provide(otherB.layer.diffId)).toBe(true);
    expect(here.warnings).toHaveLength(2);
  });

  test('passes on of a layer what an export says of one, and takes nothing else for a layer', async () => {
    const { place, records } = await cacheOf('one', ['a'], ['b']);
    const [a, b] = records;
    if (a === undefined || b === undefined || place.manifest === undefined) throw new Error('no records');
    place.manifest = {
      ...place.manifest,
      layers: place.manifest.layers.map((layer) =>
        layer.digest === b.layer.diffId
          ? { ...layer, mediaType: MEDIA_TYPES.ociForeignLayerTar }
          : { ...layer, urls: ['http://elsewhere.example/'], annotations: { a: 'b' } },
      ),
    };
    await using here = await machine('here');
    const imported = here.imports(place);
    expect(await imported.find(b.key)).toBeUndefined();
    expect(await imported.find(a.key)).toMatchObject(a);
    expect(imported.elsewhere(a.layer.diffId)?.descriptor).toStrictEqual({
      mediaType: MEDIA_TYPES.ociLayerTar,
      digest: a.layer.diffId,
      size: a.layer.size,
    });
  });

  test('takes no texts for a layer', async () => {
    const { place, records } = await cacheOf('one', ['a']);
    const [a] = records;
    if (a === undefined || place.manifest === undefined) throw new Error('no records');
    place.manifest = { ...place.manifest, layers: place.manifest.layers.slice(1) };
    await using here = await machine('here');
    expect(await here.imports(place).find(a.key)).toBeUndefined();
  });

  test('does without a layer that is larger than the disk', async () => {
    await using there = await machine('there');
    const small = await there.run('a');
    const large = { ...small, layer: { ...small.layer, size: Number.MAX_SAFE_INTEGER } };
    const place = new FakePlace('one');
    await using exported = there.exports(place, 'max');
    exported.add(large);
    await exported.finish(stateOf().layers);
    await using here = await machine('here');
    const imported = here.imports(place);
    await imported.find(large.key);
    await expect(imported.provide(large.layer.diffId)).rejects.toThrow(LostLayer);
    expect(here.warnings).toStrictEqual([
      expect.stringMatching(
        /^a layer of one cannot be used: it has 9007199254740991 bytes, and \d+ are free on the disk$/,
      ),
    ]);
  });
});
