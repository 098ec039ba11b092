import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, inject } from 'vitest';
import * as z from 'zod/mini';
import { BASE_CONFIG, busyboxRoot } from '../rig/base-images.ts';
import { failureOf } from '../rig/failure-of.ts';
import { packTar } from '../rig/pack-tar.ts';
import { pushByHand, pushIndexByHand } from '../rig/push-image.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const OWN = process.arch === 'x64' ? 'amd64' : process.arch;
/** An architecture that no machine which runs these tests has an emulator for. */
const OTHER = 's390x';
const BOTH = `linux/${OWN},linux/${OTHER}`;

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

/** Compiles on this machine for each platform, onto the image of that. */
const DOCKERFILE = `FROM --platform=$BUILDPLATFORM each AS tools
RUN echo tools > /tools
FROM --platform=$BUILDPLATFORM each AS build
ARG TARGETARCH
COPY --from=tools /tools /tools
RUN cat /tools && echo "for $TARGETARCH" > /made
FROM each
ARG TARGETPLATFORM
ENV FOR=$TARGETPLATFORM
COPY --from=build /made /out/
`;

async function skopeo(...args: readonly string[]): Promise<string> {
  return (await execa('skopeo', args)).stdout;
}

/** What a build prints, without what differs from one to the next. */
function withoutFacts(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{64}/g, 'HEX')
    .replaceAll(new RegExp(OWN, 'g'), 'OWN')
    .replaceAll(/\(\d[\d.]* [kM]?B\)/g, '(SIZE)')
    .replaceAll(/\d+\.\d s\b/g, 'T s')
    .replaceAll(/\d+\.\d{3} /g, 'T ');
}

async function ofBuild(world: World, ...args: readonly string[]): Promise<string> {
  return (await world.ok(['build', '--progress', 'plain', '--platform', BOTH, ...args, '.'])).stderr;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'skopeo'))(
  'a build for several platforms',
  () => {
    beforeAll(async () => {
      const host = inject('registry');
      const entries = [];
      for (const architecture of [OWN, OTHER]) {
        const platform = { os: 'linux', architecture };
        const which = await packTar([
          { name: 'which', type: 'file', content: architecture },
          { name: 'same', type: 'link', linkname: 'which' },
        ]);
        const image = { layers: [await busyboxRoot(), which], config: BASE_CONFIG, platform };
        entries.push({ ...(await pushByHand(host, `library/each:${architecture}`, image)), platform });
      }
      await pushIndexByHand(host, 'library/each:latest', entries);
    });

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

    test('runs what is the same for all of them once, and says whose step each is', async ({ world }) => {
      world.write({ Dockerfile: DOCKERFILE });
      const steps = (text: string): string[] =>
        withoutFacts(text)
          .split('\n')
          .filter((line) => /^#\d+ (?:\[|cached)/.test(line));
      const first = await ofBuild(world, '-o', 'out');
      expect(
        steps(first)
          .filter((line) => line.includes('['))
          .toSorted(),
      ).toMatchInlineSnapshot(`
        [
          "#1 [linux/OWN tools 2/2] RUN echo tools > /tools",
          "#2 [linux/OWN build 2/3] COPY --from=tools /tools /tools",
          "#3 [linux/OWN build 3/3] RUN cat /tools && echo "for $TARGETARCH" > /made",
          "#4 [linux/OWN stage-2 2/2] COPY --from=build /made /out/",
          "#5 [linux/OWN->s390x tools 2/2] RUN echo tools > /tools",
          "#6 [linux/OWN->s390x build 2/3] COPY --from=tools /tools /tools",
          "#7 [linux/OWN->s390x build 3/3] RUN cat /tools && echo "for $TARGETARCH" > /made",
          "#8 [linux/s390x stage-2 2/2] COPY --from=build /made /out/",
        ]
      `);
      expect(first.match(/^#\d+ cached$/gm)).toHaveLength(2); // #5 and #6: what #1 and #2 gave
      const end = withoutFacts(first).match(/^(?:image|index|built) .*$/gm);
      expect(end).toMatchInlineSnapshot(`
        [
          "image sha256:HEX for linux/OWN (SIZE)",
          "image sha256:HEX for linux/s390x (SIZE)",
          "index sha256:HEX of 2 images",
          "built in T s: 2 steps cached, 6 ran",
        ]
      `);
      const again = await ofBuild(world, '-o', 'out');
      expect(again.match(/^#\d+ cached$/gm)).toHaveLength(8);
      const anew = await ofBuild(world, '--no-cache', '-o', 'out');
      expect(anew.match(/^#\d+ cached$/gm)).toHaveLength(2);
      const planned = await world.ok(['plan', '--platform', BOTH, '.']);
      expect(planned.stdout).toContain('8 steps hit, 0 will run, 0 open');
      // With one of them alone, all of it is there, too; and the other way round.
      const alone = await world.ok(['build', '--progress', 'plain', '--platform', `linux/${OTHER}`, '.']);
      expect(alone.stderr.match(/^#\d+ cached$/gm)).toHaveLength(4);
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

    test('says of each step why it ran, and for which platform it failed', async ({ world }) => {
      world.write({
        Dockerfile: `FROM --platform=$BUILDPLATFORM each AS build
ARG TARGETARCH
COPY for-$TARGETARCH /here
RUN sh /here
FROM scratch
COPY --from=build /here /
`,
        [`for-${OWN}`]: 'true\n',
        [`for-${OTHER}`]: 'true\n',
      });
      await ofBuild(world, '-o', 'out');
      for (const architecture of [OTHER, OWN, OTHER]) {
        world.write({ [`for-${architecture}`]: `echo ${architecture} ${Math.random()}\n` });
        const again = await ofBuild(world, '-o', 'out');
        expect(again.match(/^#\d+ why: for-.*$/gm)).toStrictEqual([
          expect.stringMatching(new RegExp(`^#\\d why: for-${architecture}: content$`)),
        ]);
      }
      world.write({ [`for-${OTHER}`]: 'exit 3\n' });
      const failed = await failureOf(world, ['build', '--platform', BOTH, '-o', 'out', '.']);
      expect(failed.slice(failed.indexOf('error'))).toMatchInlineSnapshot(`
        "error[step-failed]: RUN sh /here ended with exit code 3
          at Dockerfile:4:1
          3 | COPY for-$TARGETARCH /here
        > 4 | RUN sh /here
            | ^^^^^^^^^^^^
          for linux/s390x
          see docs/errors.md#step-failed
        exit code 1
        "
      `);
    });

    test('shares its cache with a machine that has nothing', async ({ world }) => {
      world.write({ Dockerfile: DOCKERFILE });
      const cache = `${inject('registry')}/several/cache`;
      await world.ok(['build', '--platform', BOTH, '--cache-to', `type=registry,ref=${cache}`, '.']);
      const other = join(world.folder, 'other-store');
      const args = ['--cache-from', `type=registry,ref=${cache}`, '-o', 'out', '.'];
      const built = await world.ok(['build', '--progress', 'plain', '--platform', BOTH, ...args], {
        root: other,
      });
      expect(built.stderr.match(/^#\d+ cached$/gm)).toHaveLength(8);
      expect(readFileSync(join(world.context, 'out', `linux_${OTHER}`, 'out/made'), 'utf8')).toBe(
        `for ${OTHER}\n`,
      );
    });

    test('fetches no layer where nothing wants one', async ({ world }) => {
      // What is pushed to the registry that has the base is mounted there.
      const base = `${inject('registry')}/library/each`;
      world.write({ Dockerfile: DOCKERFILE.replaceAll(/\beach\b/g, base) });
      const cache = `${inject('registry')}/several/lazy`;
      const ref = `type=registry,ref=${cache}`;
      await world.ok(['build', '--platform', BOTH, '--cache-to', `${ref},mode=max`, '.']);
      const args = ['build', '--progress', 'plain', '--platform', BOTH, '--cache-from', ref];
      const nowhere = await world.ok([...args, '.'], { root: join(world.folder, 'second') });
      const name = `${inject('registry')}/several/lazy-app`;
      const pushed = await world.ok([...args, '-t', name, '--push', '.'], {
        root: join(world.folder, 'third'),
      });
      for (const { stderr } of [nowhere, pushed]) {
        expect(stderr.match(/^#\d+ cached$/gm)).toHaveLength(8);
        expect(stderr).not.toContain('pulled');
      }
      await skopeo(
        'copy',
        '--all',
        '--src-tls-verify=false',
        `docker://${name}`,
        `dir:${join(world.folder, 'app')}`,
      );
    });

    test('goes where several images can be', async ({ world }) => {
      world.write({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
      const args = ['build', '--platform', BOTH, '-t', 'app', '.'];
      expect(await failureOf(world, [...args, '--load'])).toMatchInlineSnapshot(`
        "error[invalid-request]: --load (-o type=image) takes an image for one platform
          expected: one platform, or --push, or -o with type=oci, type=tar or type=local
          see docs/errors.md#invalid-request
        exit code 2
        "
      `);
      expect(await failureOf(world, [...args, '-o', 'type=docker,dest=app.tar'])).toMatchInlineSnapshot(`
        "error[invalid-request]: -o type=docker takes an image for one platform
          expected: one platform, or --push, or -o with type=oci, type=tar or type=local
          see docs/errors.md#invalid-request
        exit code 2
        "
      `);
      const { stderr } = await world.ok(args);
      expect(stderr).toContain(
        `warning: the images for several platforms go nowhere: only their layers stay in the cache
  hint: --push, or -o with type=oci, type=tar or type=local says where to
`,
      );
    });

    test('fails where one of them does, and tells once what is wrong with both', async ({ world }) => {
      world.write({ Dockerfile: 'FROM each\nRUN true\n' });
      expect(withoutFacts(await failureOf(world, ['build', '--platform', BOTH, '-o', 'out', '.'])))
        .toMatchInlineSnapshot(`
          "error[step-not-run]: programs for linux/s390x cannot be run on linux/OWN
            at Dockerfile:2:1
            1 | FROM each
          > 2 | RUN true
              | ^^^^^^^^
            hint: the packages qemu-user-static and binfmt-support let the kernel run programs for linux/s390x; FROM --platform=$BUILDPLATFORM builds on this machine's own
            for linux/s390x
            see docs/errors.md#step-not-run
          exit code 1
          "
        `);
      world.write({
        Dockerfile: 'from each as base\nMAINTAINER me\nFROM base\nCOPY --from=bse / /\nENTRYPOINT true\n',
      });
      expect(await failureOf(world, ['build', '--platform', BOTH, '-o', 'out', '.'])).toMatchInlineSnapshot(`
        "error[registry]: cannot find registry-1.docker.io: the host name does not resolve
          at Dockerfile:4:13
          3 | FROM base
        > 4 | COPY --from=bse / /
            |             ^^^
          did you mean the stage base?
          hint: bse means docker.io/library/bse
          see docs/errors.md#registry
        exit code 1
        "
      `);
      world.write({ Dockerfile: 'from scratch\nCOPY Dockerfile /\nENTRYPOINT true\nARG UNUSED\n' });
      const { stderr } = await world.ok([
        'build',
        '--platform',
        BOTH,
        '--build-arg',
        'NONE=1',
        '-o',
        'out',
        '.',
      ]);
      expect(stderr.match(/^warning.*$/gm)).toMatchInlineSnapshot(`
        [
          "warning[ConsistentInstructionCasing]: Command 'from' should match the case of the command majority (uppercase)",
          "warning[JSONArgsRecommended]: JSON arguments recommended for ENTRYPOINT to prevent unintended behavior related to OS signals",
          "warning: the build arg NONE is used nowhere",
        ]
      `);
    });
  },
);
