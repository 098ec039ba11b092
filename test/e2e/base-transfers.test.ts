import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject } from 'vitest';
import { BASE_CONFIG, busyboxRoot } from '../rig/base-images.ts';
import { checkStore } from '../rig/check-store.ts';
import { processesWith } from '../rig/leftovers.ts';
import { packTar } from '../rig/pack-tar.ts';
import { compressed, pushByHand, sha256 } from '../rig/push-image.ts';
import { startSlowRegistry } from '../rig/slow-registry.ts';
import { lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

/** What a stage may want of an image whose layers do not come. */
const WANTED: Readonly<Record<string, string>> = {
  'a RUN is mounted on it': 'FROM SLOW AS other\nRUN true',
  'a COPY looks into it': 'FROM SLOW AS other\nCOPY file /',
  'a WORKDIR looks into it': 'FROM SLOW AS other\nWORKDIR /some/where',
  'a file is copied from it': 'FROM scratch AS other\nCOPY --from=SLOW /bin/sh /',
  'a RUN is shown some of it': 'FROM busybox AS other\nRUN --mount=from=SLOW,target=/shown true',
};

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('an image that travels during a build', () => {
  beforeAll(async () => {
    const file = await packTar([{ name: 'random', type: 'file', content: randomBytes(1_000_000) }]);
    const layers = [Buffer.concat([(await busyboxRoot()).subarray(0, -1024), file])];
    await pushByHand(inject('registry'), 'library/other', { layers, config: BASE_CONFIG });
  });

  test.for([
    ['its stage waits for another one', 'FROM NAME\nCOPY --from=waiting / /'],
    ['a file is copied from it later', 'FROM waiting\nCOPY --from=NAME /random /'],
  ] as const)(
    'is fetched and unpacked before anything can be done with it, where %s',
    { timeout: 60_000 },
    async ([, last], { world }) => {
      await world.ok(['pull', 'busybox']);
      const name = `${inject('registry')}/library/other`;
      const waiting = 'FROM busybox AS waiting\nRUN sleep 600';
      world.write({ Dockerfile: `${waiting}\n${last.replace('NAME', name)}\n` });
      const end = new AbortController();
      const building = world.run(['build', '.'], { signal: end.signal });
      // Of both images.
      while (globSync(join(world.store, 'tocs/*.json')).length < 2) await sleep(20);
      end.abort();
      await building;
      expect(processesWith(world.store)).toEqual([]);
      expect(checkStore(world.store)).toEqual([]);
    },
  );

  test.for([
    ['a RUN is shown some of it', 'FROM busybox AS other\nRUN --mount=from=NAME,target=/shown true'],
    ['what is linked comes first', 'FROM NAME AS other\nCOPY --link file /\nRUN true'],
    ['what is linked says its owner', 'FROM NAME AS other\nCOPY --link --chown=1:2 file /'],
  ] as const)(
    'is not fetched for steps that a cache has, where %s',
    { timeout: 60_000 },
    async ([, other], { world }) => {
      const name = `${inject('registry')}/library/other`;
      world.write({
        Dockerfile: `${other.replace('NAME', name)}
FROM busybox AS changed
ARG N
RUN sleep 2; echo $N
FROM scratch
COPY --from=changed /bin/sh /
COPY --from=other /bin/sh /other
`,
        file: '',
      });
      const cache = join(world.folder, 'cache');
      await world.ok(['build', '--cache-to', `type=local,mode=max,dest=${cache}`, '.']);
      await world.ok(['prune']);
      const from = ['--cache-from', `type=local,src=${cache}`];
      const { stderr } = await world.ok(['build', ...from, '--build-arg', 'N=2', '.']);
      expect(stderr).toContain('why: ARG N');
      expect(stderr).not.toContain(` of ${name}`);
    },
  );

  test(
    "is not fetched again for a RUN of the store's own that was shown some of it",
    { timeout: 60_000 },
    async ({ world }) => {
      const name = `${inject('registry')}/library/other`;
      world.write({
        Dockerfile: `FROM busybox
RUN --mount=from=${name},target=/shown true
ARG N
RUN sleep 2; echo $N
`,
      });
      await world.ok(['build', '-t', 'kept', '.']);
      await world.ok(['prune', '--filter', 'type=base']);
      const { stderr } = await world.ok(['build', '--build-arg', 'N=2', '.']);
      expect(stderr).toContain('why: ARG N');
      expect(stderr).not.toContain(` of ${name}`);
    },
  );

  test.for(['RUN true', 'COPY file /'])(
    'is not waited for when one of its layers is gone, where %s needs it',
    { timeout: 30_000 }, // of the other layer, the registry gives half, and then nothing
    async (step, { world }) => {
      const upper = await packTar([{ name: 'upper', type: 'file', content: step }]);
      const image = { layers: [await busyboxRoot(), upper], config: BASE_CONFIG };
      await pushByHand(inject('registry'), 'library/incomplete', image);
      const lost = sha256(compressed(upper));
      await using slow = await startSlowRegistry(inject('registry'), lost);
      const name = `${slow.host}/library/incomplete`;
      world.write({ Dockerfile: `FROM ${name}\n${step}\n`, file: '' });
      const { stderr, exitCode } = await world.run(['build', '.']);
      const said = `error[registry]: the registry ${slow.host} does not have a layer of ${name}:latest (${lost})\n`;
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(said)]);
      expect(checkStore(world.store)).toEqual([]);
      expect(processesWith(world.store)).toEqual([]);
    },
  );

  test.for(Object.entries(WANTED))(
    'is not waited for when another step has failed, where %s',
    { timeout: 30_000 }, // the registry gives half of the layer, and then nothing
    async ([, other], { world }) => {
      await using slow = await startSlowRegistry(inject('registry'));
      world.write({
        Dockerfile: `FROM busybox AS failing
RUN sleep 1 && exit 3
${other.replace('SLOW', `${slow.host}/library/other`)}
FROM scratch
COPY --from=failing / /failing
COPY --from=other / /other
`,
        file: '',
      });
      await world.ok(['pull', 'busybox']);
      const { stderr, exitCode } = await world.run(['build', '.']);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('exit code 3')]);
      expect(checkStore(world.store)).toEqual([]);
      expect(processesWith(world.store)).toEqual([]);
    },
  );
});
