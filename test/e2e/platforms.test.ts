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

const inspection = z.array(
  z.looseObject({
    Architecture: z.string(),
    Config: z.looseObject({ Env: z.array(z.string()) }),
  }),
);

async function inspect(world: World, name: string): Promise<z.infer<typeof inspection>[number]> {
  const [image] = inspection.parse(JSON.parse((await world.ok(['inspect', name])).stdout));
  if (image === undefined) throw new Error('inspect printed nothing');
  return image;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('a platform', () => {
  beforeAll(async () => {
    const host = inject('registry');
    const entries = [];
    for (const architecture of [OWN, OTHER]) {
      const platform = { os: 'linux', architecture };
      const which = await packTar([{ name: 'which', type: 'file', content: architecture }]);
      const image = { layers: [await busyboxRoot(), which], config: BASE_CONFIG, platform };
      entries.push({ ...(await pushByHand(host, `library/both:${architecture}`, image)), platform });
    }
    await pushIndexByHand(host, 'library/both:latest', entries);
    await pushByHand(host, 'library/only:latest', {
      layers: [await busyboxRoot()],
      config: BASE_CONFIG,
      platform: { os: 'linux', architecture: OTHER },
    });
  });

  test('of another machine is built for, on this one', async ({ world }) => {
    world.write({
      Dockerfile: `FROM --platform=$BUILDPLATFORM both AS build
ARG TARGETARCH BUILDARCH
RUN echo "$(cat /which) for $TARGETARCH on $BUILDARCH" > /made
FROM both
ARG TARGETPLATFORM
ENV FOR=$TARGETPLATFORM
COPY --from=build /made /made
COPY --from=both /which /copied
`,
    });
    await world.ok(['build', '--platform', `linux/${OTHER}`, '-t', 'app', '-o', 'out', '.']);
    const { Architecture, Config } = await inspect(world, 'app');
    expect(Architecture).toBe(OTHER);
    expect(Config.Env).toContain(`FOR=linux/${OTHER}`);
    const read = (name: string): Promise<string> =>
      world.ok(['run', 'reader', 'cat', `/${name}`]).then(({ stdout }) => stdout);
    world.write({ Reader: 'FROM busybox\nCOPY out /\n' });
    await world.ok(['build', '-f', 'Reader', '-t', 'reader', '.']);
    expect(await read('made')).toBe(`${OWN} for ${OTHER} on ${OWN}\n`);
    expect(await read('which')).toBe(OTHER);
    expect(await read('copied')).toBe(OTHER); // of the target's platform, as with docker
    // The same file for this machine is another image.
    await world.ok(['build', '-t', 'own', '.']);
    expect((await inspect(world, 'own')).Architecture).toBe(OWN);
  });

  test('that this machine cannot run programs of', async ({ world }) => {
    world.write({ Dockerfile: `FROM --platform=linux/${OTHER} both\nRUN true\n` });
    expect((await failureOf(world)).replaceAll(OWN, 'OWN')).toMatchInlineSnapshot(`
      "warning[FromPlatformFlagConstDisallowed]: FROM --platform flag should not use constant value "linux/s390x"
        at Dockerfile:1:6
      > 1 | FROM --platform=linux/s390x both
          |      ^^^^^^^^^^^^^^^^^^^^^^
        expected: --platform=$BUILDPLATFORM, none, or a stage that has the platform in its name
        see docs/rules/FromPlatformFlagConstDisallowed.md
      #1 [2/2] RUN true
      #1 why: no earlier record
      #1 failed after 0.0 s
      error[step-not-run]: programs for linux/s390x cannot be run on linux/OWN
        at Dockerfile:2:1
        1 | FROM --platform=linux/s390x both
      > 2 | RUN true
          | ^^^^^^^^
        hint: the packages qemu-user-static and binfmt-support let the kernel run programs for linux/s390x; FROM --platform=$BUILDPLATFORM builds on this machine's own
        see docs/errors.md#step-not-run
      exit code 1
      "
    `);
  });

  test('of an image that is to be run', async ({ world }) => {
    const name = `${inject('registry')}/library/both`;
    await world.ok(['pull', '--platform', `linux/${OTHER}`, name]);
    const { exitCode, stderr } = await world.run(['run', name, 'true']);
    expect(stderr).toMatch(/^error\[step-not-run\]: programs for linux\/s390x cannot be run on linux\//);
    expect(exitCode).toBe(125);
  });

  test("of an image that is pulled, by a flag or by docker's variable", async ({ world }) => {
    const name = `${inject('registry')}/library/both`;
    await world.ok(['pull', name], { env: { DOCKER_DEFAULT_PLATFORM: `linux/${OTHER}` } });
    expect((await inspect(world, name)).Architecture).toBe(OTHER);
  });

  test('that an image is not for, in a store that has no other', async ({ world }) => {
    world.write({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
    await world.build(['-t', 'only']);
    world.write({ Other: 'FROM only\n' });
    // The store's is for this machine; the registry has one.
    await world.ok(['build', '-f', 'Other', '--platform', OTHER, '-t', 'o', '.']);
    expect((await inspect(world, 'o')).Architecture).toBe(OTHER);
  });

  test('that an image of the store is not for: the registry is asked for one that is', async ({ world }) => {
    const host = inject('registry');
    const name = `${host}/library/both`;
    await world.ok(['pull', '--platform', `linux/${OTHER}`, name]);
    world.write({ Dockerfile: `FROM ${name}\nRUN cat /which\n` });
    expect((await world.ok(['build', '--progress', 'plain', '.'])).stderr).toMatch(
      new RegExp(`^#1 \\d+\\.\\d+ ${OWN}$`, 'm'),
    );
    world.write({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n', Other: `FROM ${host}/nowhere\n` });
    await world.build(['--platform', `linux/${OTHER}`, '-t', `${host}/nowhere`]);
    const failure = await failureOf(world, ['build', '-f', 'Other', '.']);
    expect(failure.replaceAll(host, 'REGISTRY')).toMatchInlineSnapshot(`
      "error[registry]: the registry REGISTRY has no REGISTRY/nowhere:latest
        at Other:1:6
      > 1 | FROM REGISTRY/nowhere
          |      ^^^^^^^^^^^^^^^^^^^^^^^
        hint: the store has REGISTRY/nowhere:latest for linux/s390x: --platform linux/s390x
        see docs/errors.md#registry
      exit code 1
      "
    `);
    const refused = await failureOf(world, ['build', '-f', 'Other', '--pull=never', '.']);
    expect(refused.replaceAll(host, 'REGISTRY')).toMatchInlineSnapshot(`
      "error[no-such-image]: no image REGISTRY/nowhere:latest is in the store, and --pull=never forbids to ask its registry
        at Other:1:6
      > 1 | FROM REGISTRY/nowhere
          |      ^^^^^^^^^^^^^^^^^^^^^^^
        hint: the store has REGISTRY/nowhere:latest for linux/s390x: --platform linux/s390x
        see docs/errors.md#no-such-image
      exit code 1
      "
    `);
    // It is taken where that is what was asked for.
    await world.ok(['build', '-f', 'Other', '--platform', `linux/${OTHER}`, '.']);
  });

  test('that is none', async ({ world }) => {
    world.write({ Dockerfile: 'ARG P\nFROM --platform=linux both\nFROM --platform=$P both\n' });
    expect(await failureOf(world)).toMatchInlineSnapshot(`
      "error[invalid-value]: "" is not a platform: expected os/architecture[/variant], for example linux/arm64
        at Dockerfile:3:17
        2 | FROM --platform=linux both
      > 3 | FROM --platform=$P both
          |                 ^^
        see docs/errors.md#invalid-value
      exit code 1
      "
    `);
    expect(await failureOf(world, ['build', '--platform', 'linux/arm46', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --platform "linux/arm46" is not known
        expected: os/architecture[/variant], for example linux/arm64
        did you mean linux/arm64?
        see caisson build --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build', '--platform', 'arm65', '.'])).toMatchInlineSnapshot(`
      "error[usage]: --platform: "arm65" is not a platform: expected os/architecture[/variant], for example linux/arm64
        see caisson build --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['build', '--platform', 'linux/arm64,linux/arm46', '.']))
      .toMatchInlineSnapshot(`
      "error[usage]: --platform "linux/arm46" is not known
        expected: os/architecture[/variant], for example linux/arm64
        did you mean linux/arm64?
        see caisson build --help
      exit code 2
      "
    `);
    for (const empty of ['linux/arm64,', ',', 'linux/arm64,,linux/amd64']) {
      expect(await failureOf(world, ['build', '--platform', empty, '.'])).toContain(
        'error[usage]: --platform: "" is not a platform: expected os/architecture[/variant]',
      );
    }
    expect(await failureOf(world, ['pull', '--platform', 'linux/arm64,linux/amd64', 'both']))
      .toMatchInlineSnapshot(`
      "error[usage]: --platform names several platforms
        expected: one platform, for example linux/arm64
        see caisson pull --help
      exit code 2
      "
    `);
    expect(await failureOf(world, ['watch', '--platform', 'linux/arm64,linux/amd64', '.']))
      .toMatchInlineSnapshot(`
      "error[invalid-request]: a watch builds for one platform
        expected: --platform OS/ARCHITECTURE
        see docs/errors.md#invalid-request
      exit code 2
      "
    `);
  });
});
