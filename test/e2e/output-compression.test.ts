import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { execa } from 'execa';
import { describe, expect, inject } from 'vitest';
import * as z from 'zod/mini';
import { checkStore } from '../rig/check-store.ts';
import { lacks } from '../rig/tools.ts';
import { makeWorld, removeWorld, test, type World } from '../rig/world.ts';

const manifestOf = z.object({
  config: z.object({ digest: z.string() }),
  layers: z.array(z.object({ mediaType: z.string(), digest: z.string(), size: z.number() })),
});
const indexOf = z.object({ manifests: z.array(z.object({ digest: z.string() })) });
const configOf = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

const TAR = 'application/vnd.oci.image.layer.v1.tar';
const COMPRESSIONS = [
  ['gzip', `${TAR}+gzip`, gunzipSync],
  ['zstd', `${TAR}+zstd`, zstdDecompressSync],
  ['none', TAR, (bytes: Uint8Array) => bytes],
  ['uncompressed', TAR, (bytes: Uint8Array) => bytes],
] as const;

function writeApp(world: World): void {
  world.write({
    Dockerfile: 'FROM scratch\nCOPY one /\nCOPY two /\n',
    one: 'one',
    two: 'two'.repeat(100_000),
  });
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function parsed<T>(type: z.ZodMiniType<T>, bytes: Buffer): T {
  return type.parse(JSON.parse(bytes.toString()));
}

/** The media types of the layers that the registry has of an image. */
async function pushedTypes(tag: string): Promise<string[]> {
  const answer = await fetch(`http://${inject('registry')}/v2/output-compression/manifests/${tag}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  return manifestOf.parse(await answer.json()).layers.map(({ mediaType }) => mediaType);
}

describe.skipIf(lacks('root'))('compression of outputs', () => {
  test.each(COMPRESSIONS)('of an image layout: %s', async (compression, mediaType, decompress) => {
    const world = makeWorld();
    writeApp(world);
    const id = await world.build(['-t', 'app:1', '-o', `type=oci,dest=layout/,compression=${compression}`]);
    const layout = join(world.context, 'layout');
    const read = (digest: string): Buffer => {
      const bytes = readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
      expect(digestOf(bytes)).toBe(digest);
      return bytes;
    };
    const [entry] = parsed(indexOf, readFileSync(join(layout, 'index.json'))).manifests;
    const { config, layers } = parsed(manifestOf, read(entry?.digest ?? ''));
    // The id is that of the config: the same however layers travel.
    expect(config.digest).toBe(id);
    expect(layers.map((layer) => layer.mediaType)).toEqual([mediaType, mediaType]);
    expect(layers.map(({ digest }) => digestOf(decompress(read(digest))))).toEqual(
      parsed(configOf, read(config.digest)).rootfs.diff_ids,
    );
    expect(layers.map(({ digest }) => read(digest).length)).toEqual(layers.map(({ size }) => size));
    expect(readdirSync(join(layout, 'blobs/sha256'))).toHaveLength(4);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
    expect(checkStore(world.store)).toEqual([]);
    await removeWorld(world);
  });

  test.skipIf(lacks('skopeo'))('of archives, as others read them', async ({ world }) => {
    writeApp(world);
    const outputs = [
      'type=oci,dest=oci.tar,compression=zstd',
      'type=docker,dest=docker.tar,compression=gzip',
    ];
    await world.build(['-t', 'app:1', ...outputs.flatMap((output) => ['-o', output])]);
    for (const place of ['oci-archive:oci.tar:1', 'docker-archive:docker.tar:app:1']) {
      // It takes nothing whose bytes do not fit the config.
      await execa('skopeo', ['copy', place, 'dir:copied'], { cwd: world.context });
    }
  });

  test.skipIf(lacks('docker-registry'))('of what is pushed', async ({ world }) => {
    writeApp(world);
    const name = `${inject('registry')}/output-compression`;
    await world.build(['-o', `type=registry,name=${name}:zstd,compression=zstd`]);
    await world.build(['-o', `type=image,name=${name}:none,push=true,compression=uncompressed`]);
    await world.build(['--push', '-t', `${name}:plain`]);
    expect(await pushedTypes('zstd')).toEqual([`${TAR}+zstd`, `${TAR}+zstd`]);
    expect(await pushedTypes('none')).toEqual([TAR, TAR]);
    expect(await pushedTypes('plain')).toEqual([`${TAR}+gzip`, `${TAR}+gzip`]);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
  });
});
