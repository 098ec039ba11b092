import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, inject } from 'vitest';
import * as z from 'zod/mini';
import { lacks } from '../rig/tools.ts';
import { BOTH, DOCKERFILE, OTHER, OWN, pushEach, withoutFacts } from '../rig/two-platforms.ts';
import { test } from '../rig/world.ts';

const Index = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.literal('application/vnd.oci.image.index.v1+json'),
  manifests: z.array(
    z.object({
      mediaType: z.string(),
      digest: z.string(),
      size: z.int(),
      platform: z.object({ architecture: z.string(), os: z.string(), variant: z.optional(z.string()) }),
    }),
  ),
});

const Layout = z.object({
  manifests: z.array(
    z.object({
      mediaType: z.string(),
      digest: z.string(),
      size: z.int(),
      annotations: z.optional(z.record(z.string(), z.string())),
    }),
  ),
});

async function skopeo(...args: readonly string[]): Promise<string> {
  return (await execa('skopeo', args)).stdout;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'skopeo'))('images for several platforms', () => {
  beforeAll(pushEach);

  test('pushes an image each, and an index that lists them', async ({ world }) => {
    world.write({ Dockerfile: DOCKERFILE });
    const name = `${inject('registry')}/several/app:1`;
    const { stdout } = await world.ok(['build', '-q', '--platform', BOTH, '-t', name, '--push', '.']);
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`);
    expect((await world.ok(['images', '-q'])).stdout).toBe(''); // the store names none of them
    const { manifests } = Index.parse(JSON.parse(raw));
    expect(manifests.map(({ platform }) => platform)).toStrictEqual([
      { os: 'linux', architecture: OWN },
      { os: 'linux', architecture: OTHER },
    ]);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    const copied = join(world.folder, 'copied');
    mkdirSync(copied);
    const source = `docker://${name}`;
    await skopeo('copy', '--all', '--src-tls-verify=false', source, `oci:${copied}:all`);
    for (const architecture of [OWN, OTHER]) {
      await world.ok(['pull', '--platform', `linux/${architecture}`, name]);
      const [image] = z
        .array(
          z.looseObject({ Architecture: z.string(), Config: z.looseObject({ Env: z.array(z.string()) }) }),
        )
        .parse(JSON.parse((await world.ok(['inspect', name])).stdout));
      expect(image?.Architecture).toBe(architecture);
      expect(image?.Config.Env).toContain(`FOR=linux/${architecture}`);
    }
  });

  test('writes the files of each into a folder of its own', async ({ world }) => {
    world.write({ Dockerfile: DOCKERFILE });
    await world.ok(['build', '--platform', BOTH, '-o', 'out', '-o', 'type=tar,dest=files.tar', '.']);
    const out = join(world.context, 'out');
    expect(readdirSync(out).toSorted()).toStrictEqual([`linux_${OWN}`, `linux_${OTHER}`].toSorted());
    mkdirSync(join(world.context, 'unpacked'));
    await execa('tar', ['-xf', 'files.tar', '-C', 'unpacked'], { cwd: world.context });
    for (const architecture of [OWN, OTHER]) {
      for (const place of [out, join(world.context, 'unpacked')]) {
        const folder = join(place, `linux_${architecture}`);
        expect(readFileSync(join(folder, 'which'), 'utf8')).toBe(architecture);
        expect(readFileSync(join(folder, 'out/made'), 'utf8')).toBe(`for ${architecture}\n`);
        // Hard links stay what they are.
        const inode = (name: string): number => statSync(join(folder, name)).ino;
        expect(inode('same')).toBe(inode('which'));
      }
    }
  });

  test.for([
    ['as they lie in the store', 'none'],
    ['compressed', 'zstd'],
  ])('writes a layout that has all of them, %s', async ([, compression], { world }) => {
    world.write({ Dockerfile: DOCKERFILE });
    const output = `type=oci,dest=layout/,compression=${compression}`;
    await world.ok(['build', '--platform', BOTH, '-t', 'app:1', '-o', output, '.']);
    const layout = join(world.context, 'layout');
    const { manifests } = Layout.parse(JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')));
    expect(manifests).toMatchObject([
      {
        mediaType: 'application/vnd.oci.image.index.v1+json',
        annotations: {
          'io.containerd.image.name': 'docker.io/library/app:1',
          'org.opencontainers.image.ref.name': '1',
        },
      },
    ]);
    for (const architecture of [OWN, OTHER]) {
      const text = await skopeo('--override-arch', architecture, 'inspect', '--config', `oci:${layout}:1`);
      expect(z.looseObject({ architecture: z.string() }).parse(JSON.parse(text)).architecture).toBe(
        architecture,
      );
    }
    // Every blob that is named is there, and is what its digest says.
    await skopeo('copy', '--all', `oci:${layout}:1`, `dir:${join(world.folder, 'copied')}`);
    // And Caisson builds on it, for either.
    world.write({ On: 'FROM base\nCOPY On /\n' });
    const base = `base=oci-layout://${layout}:1`;
    await world.ok(['build', '-f', 'On', '--platform', BOTH, '--build-context', base, '-o', 'on', '.']);
    expect(readFileSync(join(world.context, 'on', `linux_${OTHER}`, 'which'), 'utf8')).toBe(OTHER);
  });

  test('tells programs of the index', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    const name = `${inject('registry')}/several/told`;
    const files = ['--iidfile', 'id', '--metadata-file', 'meta.json'];
    await world.ok(['build', '--platform', `${BOTH},linux/${OWN}`, '-t', name, '--push', ...files, '.']);
    const read = (path: string): string => readFileSync(join(world.context, path), 'utf8');
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`);
    expect(Index.parse(JSON.parse(raw)).manifests).toHaveLength(2); // each platform counts once
    const digest = (
      await skopeo('inspect', '--format', '{{.Digest}}', '--tls-verify=false', `docker://${name}`)
    ).trim();
    const { 'buildx.build.ref': build, ...told } = z
      .looseObject({ 'buildx.build.ref': z.string() })
      .parse(JSON.parse(read('meta.json')));
    expect(build).toMatch(/^caisson\/default\/[0-9a-f]{16}$/);
    expect(told).toStrictEqual({
      'containerimage.descriptor': {
        mediaType: 'application/vnd.oci.image.index.v1+json',
        digest,
        size: raw.length,
      },
      'containerimage.digest': digest,
      'image.name': `${name}:latest`,
    });
    expect(read('id')).toBe(digest); // as the registry has it, where layers are compressed
    const again = ['build', '-q', '--platform', BOTH, '-t', name, '--push', '.'];
    expect((await world.ok(again)).stdout.trim()).toBe(digest);
  });

  test('is for what was asked for, whatever its base is for', async ({ world }) => {
    const name = `${inject('registry')}/several/asked`;
    world.write({
      Dockerfile:
        'FROM --platform=$BUILDPLATFORM each\nARG TARGETPLATFORM\nRUN echo $TARGETPLATFORM > /for\n',
    });
    const platforms = [
      '--platform',
      `linux/${OWN}`,
      '--platform',
      `linux/${OTHER},linux/arm/v6`,
      '--platform',
      'linux/arm/v7',
    ];
    const args = ['build', '--progress', 'plain', ...platforms, '-o', 'out'];
    const { stderr } = await world.ok([...args, '-o', `type=image,name=${name},push=true`, '.']);
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${name}`);
    expect(Index.parse(JSON.parse(raw)).manifests.map(({ platform }) => platform)).toStrictEqual([
      { os: 'linux', architecture: OWN },
      { os: 'linux', architecture: OTHER },
      { os: 'linux', architecture: 'arm', variant: 'v6' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ]);
    for (const platform of [OWN, OTHER, 'arm/v6', 'arm/v7']) {
      const file = join(world.context, 'out', `linux/${platform}`.replaceAll('/', '_'), 'for');
      expect(readFileSync(file, 'utf8')).toBe(`linux/${platform}\n`);
    }
    expect(
      withoutFacts(stderr)
        .match(/^#\d \[.*\]/gm)
        ?.toSorted(),
    ).toStrictEqual([
      '#1 [linux/OWN 2/2]',
      `#2 [linux/OWN->${OTHER} 2/2]`,
      '#3 [linux/OWN->arm/v6 2/2]',
      '#4 [linux/OWN->arm/v7 2/2]',
    ]);
  });
});
