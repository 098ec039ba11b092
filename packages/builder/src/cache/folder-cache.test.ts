import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, hexOf, manifestBytes, MEDIA_TYPES } from '@caisson/oci';
import { FILE_TYPE, makeNode } from '@caisson/sys';
import { RECORDS_TYPE } from './cache-document.ts';
import type { CacheBlob } from './cache-place.ts';
import { FolderCache } from './folder-cache.ts';

const NEVER = new AbortController().signal;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-folder-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function blobOf(text: string, mediaType: string): CacheBlob {
  const bytes = Buffer.from(text);
  return {
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
    open: async function* () {
      yield await Promise.resolve(bytes);
    },
  };
}

const makePipe = (at: string): void => makeNode(at, FILE_TYPE.fifo | 0o600, { major: 0, minor: 0 });

const path = ({ descriptor }: CacheBlob): string => join(folder, 'blobs/sha256', hexOf(descriptor.digest));

/** Writes a cache of one layer, as an export does. @returns its layer, and where its manifest lies */
async function write(tag: string, text: string): Promise<{ layer: CacheBlob; manifest: string }> {
  await using cache = new FolderCache(folder, tag);
  const layer = blobOf(text, MEDIA_TYPES.ociLayerTar);
  const config = blobOf(`records of ${text}`, RECORDS_TYPE);
  if (!(await cache.has(layer.descriptor, NEVER))) await cache.write(layer, [], NEVER);
  const manifest = manifestBytes(config.descriptor, [layer.descriptor]);
  await cache.finish(manifest, config, NEVER);
  return { layer, manifest: join(folder, 'blobs/sha256', hexOf(digestOf(manifest))) };
}

const read = (tag = 'main') => new FolderCache(folder, tag).read();

describe('a cache in a folder', () => {
  test('says in words why it cannot be there', async () => {
    await using cache = new FolderCache('/proc/caisson', 'main');
    const { descriptor } = blobOf('layer', MEDIA_TYPES.ociLayerTar);
    await expect(cache.has(descriptor, NEVER)).rejects.toThrow('no folder can be made there');
  });

  test('writes a blob again that is damaged, though its size is right', async () => {
    const { layer } = await write('main', 'layer');
    writeFileSync(path(layer), 'lazer');
    await write('main', 'layer');
    expect(readFileSync(path(layer), 'utf8')).toBe('layer');
  });

  test('is written beside a tag whose manifest is gone, and keeps all then', async () => {
    const other = await write('other', 'of another tag');
    rmSync(other.manifest);
    const old = await write('main', 'old');
    await write('main', 'new');
    expect(Buffer.from((await read())?.config ?? '').toString()).toBe('records of new');
    const there = readdirSync(join(folder, 'blobs/sha256'));
    expect(there).toContain(hexOf(old.layer.descriptor.digest));
    expect(there).toContain(hexOf(other.layer.descriptor.digest));
    await expect(read('other')).rejects.toThrow(/^ENOENT/);
    // Written again, it names all that it needs.
    await write('other', 'of another tag');
    expect(readdirSync(join(folder, 'blobs/sha256'))).not.toContain(hexOf(old.layer.descriptor.digest));
  });

  test('is read by its tag, or by the digest of its manifest', async () => {
    await write('main', 'one');
    const { manifest } = await write('other', 'two');
    const digest = digestOf(readFileSync(manifest));
    expect(Buffer.from((await read())?.config ?? '').toString()).toBe('records of one');
    const named = await new FolderCache(folder, 'main', digest).read();
    expect(Buffer.from(named?.config ?? '').toString()).toBe('records of two');
    expect(await new FolderCache(folder, 'main', digestOf('none')).read()).toBeUndefined();
  });

  test('does not read more of a file than it should have', async () => {
    const { manifest } = await write('main', 'layer');
    truncateSync(manifest, 3e9);
    await expect(read()).rejects.toThrow(/^its blob sha256:[0-9a-f]{64} is too large: 3000000000 bytes$/);
    truncateSync(join(folder, 'index.json'), 3e9);
    await expect(read()).rejects.toThrow(/^its index\.json is too large: 3000000000 bytes$/);
  });

  test('does not wait for a pipe', async () => {
    const { layer } = await write('main', 'layer');
    rmSync(path(layer));
    makePipe(path(layer));
    const { descriptor } = layer;
    const bytes = new FolderCache(folder, 'main').open(descriptor);
    await expect(bytes.next()).rejects.toThrow(`its blob ${descriptor.digest} is no file`);
    rmSync(join(folder, 'index.json'));
    makePipe(join(folder, 'index.json'));
    await expect(read()).rejects.toThrow(/^its index\.json is no file$/);
  });
});
