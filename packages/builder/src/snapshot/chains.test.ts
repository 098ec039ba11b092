import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { asDiffId, digestOf, MEDIA_TYPES, type Digest } from '@caisson/oci';
import { cleanPath, encodeTarHeader } from '@caisson/layer';
import { formId, openStore, type Session, type Store } from '@caisson/store';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EMPTY_STATE, withLayer, type FileState } from '../state.ts';
import { Chains } from './chains.ts';
import { MapSupport } from './map-support.ts';
import { StoredTocs } from './stored-tocs.ts';

let folder: string;
let store: Store;
let session: Session;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-chains-'));
  store = await openStore(join(folder, 'store'));
  session = store.session();
});
afterEach(async () => {
  await session[Symbol.asyncDispose]();
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const ATTRIBUTES = { mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 1_700_000_000, nanoseconds: 0 } };

/** Of one layer, uncompressed: a file of 16 MB behind one with a header, which may be damaged. */
function largeTar(isDamaged: boolean): Buffer {
  const content = Buffer.alloc(16 << 20, 'x');
  const header = encodeTarHeader({ ...ATTRIBUTES, name: 'large', type: 'file', size: content.length });
  if (isDamaged) header.write('not a number', 124);
  const first = tarOf('first', 'the first file').subarray(0, 1024);
  return Buffer.concat([first, header, content, Buffer.alloc(1024)]);
}

/** A tar with one file. */
function tarOf(name: string, content: string): Buffer {
  const body = Buffer.alloc(512);
  body.write(content);
  const header = encodeTarHeader({ ...ATTRIBUTES, name, type: 'file', size: content.length });
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}

const TARS = ['one', 'two', 'three'].map((name) => tarOf(name, `the file ${name}`));
const BLOBS = TARS.map((tar) => gzipSync(tar));

/** The state of an image whose layers are not here. */
const STATE: FileState = TARS.reduce((below, tar, index) => {
  const blob = BLOBS[index] ?? Buffer.alloc(0);
  const diffId = asDiffId(digestOf(tar));
  const descriptor = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOf(blob), size: blob.length };
  const form = formId('chain', digestOf(`${index}`));
  return withLayer(below, { diffId, content: diffId, form, descriptor, created: undefined });
}, EMPTY_STATE);

async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 20) yield await Promise.resolve(bytes.subarray(at, at + 20));
}

type Put = (digest: Digest, bytes: Uint8Array) => Promise<void>;

const host = (): Promise<never> => Promise.reject(new Error('nothing is to be mounted'));

/** Chains whose layers are brought as a test says. */
function chainsWith(provide: (put: Put, index: number) => Promise<void>, signal?: AbortSignal): Chains {
  const put: Put = async (digest, bytes) => {
    await store.blobs.put(session, stream(bytes), { digest, size: bytes.length });
  };
  const layers = ({ descriptor }: (typeof STATE.layers)[number]): Promise<void> =>
    provide(
      put,
      BLOBS.findIndex((blob) => digestOf(blob) === descriptor.digest),
    );
  const support = new MapSupport(store, session, 'auto', host);
  return new Chains({ store, session, provide: layers, support, stored: new StoredTocs(store), signal });
}

const digestAt = (index: number): Digest => digestOf(BLOBS[index] ?? '');
const blobAt = (index: number): Uint8Array => BLOBS[index] ?? Buffer.alloc(0);

async function filesOf(chains: Chains): Promise<string[]> {
  chains.willMount(STATE);
  const lowers = await chains.lowers(STATE);
  return lowers.flatMap((lower) =>
    typeof lower === 'string'
      ? readdirSync(lower).map((name) => readFileSync(join(lower, name), 'utf8'))
      : [],
  );
}

const FILES = ['the file one', 'the file two', 'the file three'];

describe('a layer that is broken in the middle', () => {
  const PIECE = 1 << 16;

  /** Chains of one layer, and how much of its bytes was taken the first time that it came. */
  async function read(image: Buffer, came: readonly Buffer[]): Promise<{ files: string[]; taken: number }> {
    let taken = 0;
    const provide = async (): Promise<void> => {
      for (const [index, bytes] of came.entries()) {
        const pieces = async function* (): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < bytes.length; at += PIECE) {
            if (index === 0) taken = at;
            if (index === 0 && at > 1 << 20) await sleep(20);
            yield bytes.subarray(at, at + PIECE);
          }
        };
        try {
          await store.blobs.put(session, pieces(), { digest: digestOf(image), size: image.length });
          return;
        } catch (error) {
          if (index === came.length - 1) throw error;
        }
      }
    };
    const diffId = asDiffId(digestOf(image));
    const descriptor = { mediaType: MEDIA_TYPES.ociLayerTar, digest: diffId, size: image.length };
    const form = formId('chain', diffId);
    const state = withLayer(EMPTY_STATE, { diffId, content: diffId, form, descriptor, created: undefined });
    const support = new MapSupport(store, session, 'trees', host);
    const stored = new StoredTocs(store);
    const chains = new Chains({ store, session, provide, support, stored, signal: undefined });
    chains.willMount(state);
    try {
      const [tree] = await chains.trees(state);
      return { files: readdirSync(tree ?? '').toSorted(), taken };
    } catch (error) {
      return { files: [String(error)], taken };
    }
  }

  test('is told at once, and the rest of it is not fetched', async () => {
    const image = largeTar(true);
    const { files, taken } = await read(image, [image]);
    expect(files[0]).toMatch(/^BuildError: the layer sha256:[0-9a-f]{64} cannot be used: /);
    expect(taken).toBeLessThan(image.length / 2);
  });

  test('is had from elsewhere, where only its bytes were wrong', async () => {
    const image = largeTar(false);
    const { files, taken } = await read(image, [largeTar(true), image]);
    expect(files).toEqual(['first', 'large']);
    expect(taken).toBeLessThan(image.length / 2);
  });
});

describe('the layers of a base that is not here', () => {
  test('are fetched side by side and unpacked in their order', async () => {
    const all = Promise.withResolvers<void>();
    let begun = 0;
    const chains = chainsWith(async (put, index) => {
      begun++;
      if (begun === BLOBS.length) all.resolve();
      await all.promise; // nobody waits for the first to be unpacked
      if (index === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      await put(digestAt(index), blobAt(index));
    });
    expect(await filesOf(chains)).toEqual(FILES);
  });

  test.each(['looked into first', 'mounted first', 'there'])(
    'are unpacked once where some steps look into them and some are mounted on them: %s',
    async (order) => {
      const tables = vi.spyOn(store.forms, 'putToc');
      const trees = vi.spyOn(store.forms, 'adoptTree');
      const chains = chainsWith((put, index) => put(digestAt(index), blobAt(index)));
      chains.willMount(STATE);
      if (order === 'there') await chains.lowers(STATE);
      const [view, lowers] =
        order === 'looked into first'
          ? await Promise.all([chains.view(STATE), chains.lowers(STATE)])
          : (await Promise.all([chains.lowers(STATE), chains.view(STATE)])).toReversed();
      expect([view, lowers]).toMatchObject([{}, { length: 3 }]);
      expect([tables.mock.calls.length, trees.mock.calls.length]).toEqual([3, 3]);
    },
  );

  test('are unpacked once where a file is taken from the only one', async () => {
    const tables = vi.spyOn(store.forms, 'putToc');
    const trees = vi.spyOn(store.forms, 'adoptTree');
    const chains = chainsWith((put, index) => put(digestAt(index), blobAt(index)));
    const files = await chains.origin('the image', { layers: STATE.layers.slice(0, 1) }, NEVER);
    const file = files.lookup(cleanPath('one')) ?? expect.unreachable('a file is gone');
    expect(await files.digests([file], NEVER)).toEqual([digestOf('the file one')]);
    expect([tables.mock.calls.length, trees.mock.calls.length]).toEqual([1, 1]);
  });

  test('are unpacked anew where the bytes that came first were wrong', async () => {
    const tries: number[] = [];
    const chains = chainsWith(async (put, index) => {
      tries.push(index);
      const wrong = Buffer.from(blobAt(index));
      if (index === 1) wrong.writeUInt8((wrong.at(-1) ?? 0) ^ 1, wrong.length - 1);
      await put(digestAt(index), wrong).catch(() => put(digestAt(index), blobAt(index)));
    });
    expect(await filesOf(chains)).toEqual(FILES);
  });

  test('leave nothing behind where one is not what its digest says', async () => {
    const chains = chainsWith((put, index) =>
      put(digestAt(index), index === 1 ? gzipSync('x') : blobAt(index)),
    );
    await expect(filesOf(chains)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(store.blobs.size(digestAt(1))).toBeUndefined();
    expect(readdirSync(join(store.root, 'trees')).filter((name) => name.includes(hexAt(1)))).toEqual([]);
  });

  test('are waited for where one of them cannot be had, and nobody takes the others', async () => {
    let coming = 0;
    const chains = chainsWith(async (put, index) => {
      if (index === 0) throw new Error('it is not there');
      coming++;
      await sleep(50);
      await put(digestAt(index), blobAt(index));
      coming--;
    });
    await expect(chains.view(STATE)).rejects.toThrow('it is not there');
    expect(coming).toBe(2);
    await chains.settled();
    expect(coming).toBe(0);
  });

  test('are asked for again where what was worked out is forgotten', async () => {
    let isThere = false;
    const chains = chainsWith(async (put, index) => {
      if (!isThere) throw new Error('it is not there');
      await put(digestAt(index), blobAt(index));
    });
    await expect(chains.view(STATE)).rejects.toThrow('it is not there');
    await chains.settled();
    isThere = true;
    chains.reset();
    expect(await filesOf(chains)).toEqual(FILES);
  });

  test('are not unpacked when the build was told to end, and leave nothing', async () => {
    const end = new AbortController();
    const chains = chainsWith(async (put, index) => {
      await put(digestAt(index), blobAt(index));
      if (index === 2) end.abort();
    }, end.signal);
    await expect(filesOf(chains)).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(join(store.root, 'trees')).filter((name) => name.includes(hexAt(2)))).toEqual([]);
    expect(readdirSync(session.tmp)).toEqual([]);
  });
});

describe('a layer that is there twice in a long chain', () => {
  test('is not read on itself, where its table of contents was lost', { timeout: 60_000 }, async () => {
    const twice = formId('layer', asDiffId(digestOf(tarOf('twice', 'x'))));
    let state = EMPTY_STATE;
    for (let number = 0; number < 200; number++) {
      const tar = number % 100 === 0 ? tarOf('twice', 'x') : tarOf(`file-${number}`, 'x');
      const { digest, size } = await store.blobs.put(session, stream(tar));
      const diffId = asDiffId(digest);
      const descriptor = { mediaType: MEDIA_TYPES.ociLayerTar, digest, size };
      const form = formId('layer', diffId);
      const created = '2020-01-01T00:00:00Z';
      state = withLayer(state, { diffId, content: diffId, form, descriptor, created });
    }
    const lowersOf = (count: number): Promise<readonly unknown[]> => {
      const support = new MapSupport(store, session, 'trees', host);
      const stored = new StoredTocs(store);
      const chains = new Chains({ store, session, provide: nothing, support, stored, signal: undefined });
      const layers = state.layers.slice(0, count);
      chains.willMount({ layers });
      return chains.lowers({ layers });
    };
    expect(await lowersOf(100)).toHaveLength(1);
    await store.forms.removeToc(twice);
    expect(await lowersOf(200)).toHaveLength(2);
  });
});

const nothing = (): Promise<void> => Promise.resolve();
const NEVER = new AbortController().signal;

const hexAt = (index: number): string => digestOf(`${index}`).slice('sha256:'.length);
