import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  mkdirSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  asDiffId,
  digestOf,
  hexOf,
  imageConfigBytes,
  manifestBytes,
  MEDIA_TYPES,
  type Descriptor,
  type Digest,
} from '@caisson/oci';
import { lockFile } from './lock.ts';
import { formId } from './paths.ts';
import { prune } from './prune.ts';
import type { Session } from './session.ts';
import { openStore, type Store } from './store.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-store-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function* stream(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part));
}

const blobPath = (digest: Digest): string => join(store.root, 'blobs/sha256', hexOf(digest));

async function addImage(session: Session, content: string, names: readonly string[]): Promise<Descriptor> {
  const layer = await store.blobs.putBytes(session, Buffer.from(content));
  const config = await store.blobs.putBytes(
    session,
    imageConfigBytes({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [asDiffId(layer.digest)] },
    }),
  );
  const bytes = manifestBytes({ mediaType: MEDIA_TYPES.ociConfig, ...config }, [
    { mediaType: MEDIA_TYPES.ociLayerTar, ...layer },
  ]);
  const manifest = { mediaType: MEDIA_TYPES.ociManifest, ...(await store.blobs.putBytes(session, bytes)) };
  await store.images.add(session, manifest, names);
  return manifest;
}

describe('blobs', () => {
  test('are there whole or not at all', async () => {
    await using session = store.session();
    const { digest, size } = await store.blobs.put(session, stream('ab', 'c'));
    expect(digest).toBe(digestOf('abc'));
    expect(size).toBe(3);
    const wrong = { digest: digestOf('abc'), size: 3 };
    await expect(store.blobs.put(session, stream('abd'), wrong)).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
    await expect(store.blobs.put(session, stream('ab'), wrong)).rejects.toMatchObject({
      code: 'size-mismatch',
    });
    await expect(store.blobs.put(session, stream('abc', 'd'), wrong)).rejects.toMatchObject({
      code: 'size-mismatch',
    });
    const broken = (async function* () {
      yield* stream('x');
      throw new Error('the source broke');
    })();
    await expect(store.blobs.put(session, broken)).rejects.toThrow('the source broke');
    expect(readdirSync(join(store.root, 'blobs/sha256'))).toEqual([hexOf(digest)]);
    expect(readdirSync(session.tmp)).toEqual([]);
  });

  test('that were changed are found out and taken away, never served', async () => {
    await using session = store.session();
    const { digest } = await store.blobs.put(session, stream('abc'));
    writeFileSync(blobPath(digest), 'abd');
    await expect(store.blobs.document(digest)).rejects.toMatchObject({ code: 'corrupt-blob' });
    expect(await store.blobs.has(session, digest)).toBe(false);
    expect(await store.blobs.has(session, digest)).toBe(false);
    await store.blobs.put(session, stream('abc'));
    expect(await store.blobs.has(session, digest)).toBe(true);
  });

  test('are hashed again when only their time changed', async () => {
    await using session = store.session();
    const { digest } = await store.blobs.put(session, stream('abc'));
    utimesSync(blobPath(digest), 1, 1);
    expect(await store.blobs.has(session, digest)).toBe(true);
  });
});

describe('the index', () => {
  test('gives a name to one image at a time, and keeps the one that lost it', async () => {
    await using session = store.session();
    const first = await addImage(session, 'one', ['docker.io/library/app:latest', 'docker.io/library/app:1']);
    const second = await addImage(session, 'two', ['docker.io/library/app:latest']);
    expect((await store.images.named('docker.io/library/app:latest'))?.descriptor).toEqual(
      expect.objectContaining(second),
    );
    expect((await store.images.named('docker.io/library/app:1'))?.descriptor.digest).toBe(first.digest);
    await store.images.removeNames(session, ['docker.io/library/app:1']);
    expect((await store.images.list()).map(({ names }) => names)).toEqual([
      [],
      ['docker.io/library/app:latest'],
    ]);
  });

  test('finds images by name, by id and by its beginning', async () => {
    await using session = store.session();
    await addImage(session, 'one', ['docker.io/library/app:latest']);
    const { id } = await store.images.find('app');
    for (const text of ['docker.io/library/app', id, hexOf(id), hexOf(id).slice(0, 6)])
      expect((await store.images.find(text)).id).toBe(id);
    await expect(store.images.find('nothing')).rejects.toMatchObject({
      code: 'no-such-image',
      message: 'no image is named nothing:latest',
    });
    await expect(store.images.find('abc')).rejects.toMatchObject({ code: 'no-such-image' });
  });

  test('is changed by several at once without loss', async () => {
    const names = Array.from({ length: 20 }, (_, number) => `docker.io/library/app:${number}`);
    await Promise.all(
      names.map(async (name) => {
        using other = await openStore(store.root);
        await using session = other.session();
        const layer = await other.blobs.putBytes(session, Buffer.from('same'));
        const config = await other.blobs.putBytes(
          session,
          imageConfigBytes({
            architecture: 'amd64',
            os: 'linux',
            rootfs: { type: 'layers', diff_ids: [asDiffId(layer.digest)] },
          }),
        );
        const bytes = manifestBytes({ mediaType: MEDIA_TYPES.ociConfig, ...config }, []);
        const manifest = await other.blobs.putBytes(session, bytes);
        await other.images.add(session, { mediaType: MEDIA_TYPES.ociManifest, ...manifest }, [name]);
      }),
    );
    const [image] = await store.images.list();
    expect(image?.names.toSorted()).toEqual(names.toSorted());
  });
});

describe('sessions', () => {
  test('that have ended hold nothing, and write to no file that has the number of their lease now', async () => {
    const session = store.session();
    using lock = await lockFile(store.paths.storeLock, 'exclusive');
    const waiting = session.hold('something');
    waiting.catch(() => {}); // looked at below
    await session[Symbol.asyncDispose]();
    const others = Array.from({ length: 3 }, (_, index) => join(store.root, `other-${index}`));
    const files = others.map((path) => openSync(path, 'w'));
    lock[Symbol.dispose]();
    const ended = { name: 'AbortError', message: 'the session has ended' };
    await expect(waiting).rejects.toMatchObject(ended);
    await expect(session.hold('more')).rejects.toMatchObject(ended);
    expect(() => session.newPath('more')).toThrow('the session has ended');
    for (const file of files) closeSync(file);
    expect(others.map((path) => readFileSync(path, 'utf8'))).toEqual(['', '', '']);
    expect(readdirSync(join(store.root, 'tmp'))).toEqual([]);
  });

  test('that died are swept by the next one, those that live are not', async () => {
    await using living = store.session();
    writeFileSync(living.newPath('mine'), 'x');
    const child = `
      const { openStore } = await import(${JSON.stringify(new URL('./store.ts', import.meta.url).href)});
      const store = await openStore(${JSON.stringify(store.root)});
      const session = store.session();
      (await import('node:fs')).writeFileSync(session.newPath('left'), 'x');
      process.kill(process.pid, 'SIGKILL');`;
    await execa(process.execPath, ['--input-type=module', '-e', child], { reject: false });
    expect(readdirSync(join(store.root, 'tmp'))).toHaveLength(2);
    await using next = store.session();
    expect(next.newPath('other')).toContain(next.id);
    expect(readdirSync(join(store.root, 'tmp')).toSorted()).toEqual([living.id, next.id].toSorted());
    expect(readdirSync(living.tmp)).toEqual(['mine-1']);
  });

  test('hold what they found against prune', async () => {
    await using session = store.session();
    const held = await store.blobs.put(session, stream('held'));
    {
      await using other = store.session();
      await store.blobs.put(other, stream('free'));
    }
    const form = formId('layer', held.digest);
    mkdirSync(session.newPath('tree'));
    await store.forms.adoptTree(session, join(session.tmp, 'tree-2'), form, { size: 0 });
    await using pruning = store.session();
    expect(await prune(store, pruning)).toMatchObject({ blobs: 1, trees: 0 });
    expect(store.blobs.size(held.digest)).toBe(4);
    await session[Symbol.asyncDispose]();
    expect(await prune(store, pruning)).toMatchObject({ blobs: 1, trees: 1 });
  });

  test('prune keeps what was used lately', async () => {
    const record = {
      key: digestOf('key'),
      keyRecord: { op: 'RUN' },
      layer: { diffId: asDiffId(digestOf('layer')), size: 5, contentDigest: digestOf('content') },
      created: '2026-01-01T00:00:00Z',
      stage: '0',
      dockerfile: 'Dockerfile',
      text: 'RUN true',
    };
    {
      await using session = store.session();
      await store.blobs.put(session, stream('layer'));
      await store.records.put(session, record);
    }
    await sleep(30);
    await using session = store.session();
    expect(await prune(store, session, { unusedFor: 60_000 })).toMatchObject({ steps: 0, blobs: 0 });
    expect(await prune(store, session, { unusedFor: 10, isDryRun: true })).toMatchObject({
      steps: 1,
      blobs: 1,
    });
    expect(await store.records.get(session, record.key)).toMatchObject(record);
    await session[Symbol.asyncDispose]();
    await using last = store.session();
    expect(await prune(store, last, { unusedFor: 0 })).toMatchObject({ steps: 1 });
  });
});

describe.skipIf(process.getuid?.() !== 0)('a tree', () => {
  test('that is complete stays, also for those who know nothing of it', async () => {
    const form = formId('layer', digestOf('layer'));
    await using session = store.session();
    const path = session.newPath('tree');
    mkdirSync(path);
    await store.forms.adoptTree(session, path, form, { size: 0 });
    // As if it had been made by somebody who has not come to note it yet.
    store[Symbol.dispose]();
    rmSync(join(store.root, 'caisson.db'));
    using other = await openStore(store.root);
    await using theirs = other.session();
    expect(await other.forms.treeBase(theirs, form)).toEqual({ form, kind: 'tree' });
  });

  test('of which nobody knows that it is complete is removed', async () => {
    const form = formId('layer', digestOf('layer'));
    await using session = store.session();
    mkdirSync(join(store.root, 'trees', form));
    expect(await store.forms.treeBase(session, form)).toBeUndefined();
    expect(readdirSync(join(store.root, 'trees'))).toEqual([]);
  });
});

describe('a store', () => {
  test('is an image layout from its first moment', () => {
    expect(readFileSync(join(store.root, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}\n');
    expect(JSON.parse(readFileSync(join(store.root, 'index.json'), 'utf8'))).toMatchObject({ manifests: [] });
  });

  test('of another version is refused', async () => {
    writeFileSync(join(store.root, 'store.json'), '{"version":99}\n');
    await expect(openStore(store.root)).rejects.toMatchObject({
      code: 'unsupported-version',
      message: `the store ${store.root} has version 99; this Caisson reads version 1`,
    });
  });

  test('does without its database', async () => {
    await using session = store.session();
    const { digest } = await store.blobs.put(session, stream('abc'));
    store[Symbol.dispose]();
    for (const text of ['this is no database', '']) {
      writeFileSync(join(store.root, 'caisson.db'), text);
      using again = await openStore(store.root);
      await using other = again.session();
      expect(await again.blobs.has(other, digest)).toBe(true);
    }
  });

  test('passes over records that cannot be read', async () => {
    await using session = store.session();
    const key = digestOf('key');
    for (const text of ['', '{}', '{"version":1']) {
      writeFileSync(join(store.root, 'records', `${hexOf(key)}.json`), text);
      expect(await store.records.get(session, key)).toBeUndefined();
    }
  });
});
