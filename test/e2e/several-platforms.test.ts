import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, inject } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { BASE_CONFIG, busyboxRoot } from '../rig/base-images.ts';
import { pushByHand, pushIndexByHand } from '../rig/push-image.ts';
import { lacks } from '../rig/tools.ts';
import { BOTH, buildBoth, DOCKERFILE, OTHER, OWN, pushEach, withoutFacts } from '../rig/two-platforms.ts';
import { test } from '../rig/world.ts';

async function skopeo(...args: readonly string[]): Promise<string> {
  return (await execa('skopeo', args)).stdout;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry', 'skopeo'))(
  'a build for several platforms',
  () => {
    beforeAll(pushEach);

    test('runs what is the same for all of them once, and says whose step each is', async ({ world }) => {
      world.write({ Dockerfile: DOCKERFILE });
      const first = await buildBoth(world, '-o', 'out');
      expect(
        withoutFacts(first)
          .match(/^#\d+ \[.*$/gm)
          ?.toSorted(),
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
      const again = await buildBoth(world, '-o', 'out');
      expect(again.match(/^#\d+ cached$/gm)).toHaveLength(8);
      const anew = await buildBoth(world, '--no-cache', '-o', 'out');
      expect(anew.match(/^#\d+ cached$/gm)).toHaveLength(2);
      const planned = await world.ok(['plan', '--platform', BOTH, '.']);
      expect(planned.stdout).toContain('8 steps hit, 0 will run, 0 open');
      // With one of them alone, all of it is there, too; and the other way round.
      const alone = await world.ok(['build', '--progress', 'plain', '--platform', `linux/${OTHER}`, '.']);
      expect(alone.stderr.match(/^#\d+ cached$/gm)).toHaveLength(4);
    });

    test('is checked for each of them, and what holds for all is said once', async ({ world }) => {
      const host = inject('registry');
      const platform = { os: 'linux', architecture: OWN };
      const image = { layers: [await busyboxRoot()], config: BASE_CONFIG, platform };
      const pushed = { ...(await pushByHand(host, 'library/half:own', image)), platform };
      await pushIndexByHand(host, 'library/half:latest', [pushed]);
      world.write({ Dockerfile: 'from each\nMAINTAINER me\nFROM half:own\nFROM half\n' });
      const { stdout, exitCode } = await world.run(['check', '--platform', BOTH, '.']);
      expect(exitCode).toBe(1);
      expect(stdout.replaceAll(OWN, 'OWN')).toMatchInlineSnapshot(`
        "warning[ConsistentInstructionCasing]: Command 'from' should match the case of the command majority (uppercase)
          at Dockerfile:1:1
        > 1 | from each
            | ^^^^
          did you mean FROM?
          see docs/rules/ConsistentInstructionCasing.md

        warning[MaintainerDeprecated]: Maintainer instruction is deprecated in favor of using label
          at Dockerfile:2:1
          1 | from each
        > 2 | MAINTAINER me
            | ^^^^^^^^^^
          did you mean LABEL org.opencontainers.image.authors="me"?
          see docs/rules/MaintainerDeprecated.md

        warning[InvalidBaseImagePlatform]: Base image half:own was pulled with platform "linux/OWN", expected "linux/s390x" for current build
          at Dockerfile:3:6
          2 | MAINTAINER me
        > 3 | FROM half:own
            |      ^^^^^^^^
          hint: FROM --platform=linux/OWN takes it as it is
          see docs/rules/InvalidBaseImagePlatform.md

        Check incomplete: 3 warnings, 1 base image not looked at.
        "
      `);
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
      await buildBoth(world, '-o', 'out');
      for (const architecture of [OTHER, OWN, OTHER]) {
        world.write({ [`for-${architecture}`]: `echo ${architecture} ${Math.random()}\n` });
        const again = await buildBoth(world, '-o', 'out');
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
        [
          'warning: the images for several platforms go nowhere and get no name: only their layers stay in the cache',
          '  hint: --push, or -o with type=oci, type=tar or type=local says where to',
          '',
        ].join('\n'),
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
      const planned = await world.run(['plan', '--platform', BOTH, '.']);
      expect(planned.exitCode).toBe(0);
      expect(planned.stderr.replaceAll(OWN, 'OWN')).toMatchInlineSnapshot(`
        "warning: programs for linux/s390x cannot be run on linux/OWN
          at Dockerfile:2:1
          1 | FROM each
        > 2 | RUN true
            | ^^^^^^^^
          hint: the packages qemu-user-static and binfmt-support let the kernel run programs for linux/s390x
        "
      `);
      world.write({
        Dockerfile: 'from each as base\nMAINTAINER me\nFROM base\nCOPY --from=bse / /\nENTRYPOINT true\n',
      });
      const misspelt = await failureOf(world, ['build', '--platform', BOTH, '-o', 'out', '.']);
      expect(misspelt.replace(inject('registry'), 'MIRROR')).toMatchInlineSnapshot(`
        "error[registry]: the registry MIRROR has no bse:latest, and cannot find registry-1.docker.io: the host name does not resolve
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
