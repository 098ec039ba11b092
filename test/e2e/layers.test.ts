import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { lacks } from '../rig/tools.ts';
import { makeWorld, removeWorld, test } from '../rig/world.ts';

const NAMES = ['a', 'b', 'c', 'dir', 'dir/x', 'dir/y', 'dir/sub', 'dir/sub/z', 'other', 'other/w'];
const path = fc.constantFrom(...NAMES.map((name) => `/data/${name}`));

/** One thing that a step may do to files. What cannot be done is not done. */
const action = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(path, fc.nat(99)).map(([at, n]) => `[ -p ${at} ] || echo ${n} > ${at}`) },
  { weight: 4, arbitrary: path.map((at) => `mkdir -p ${at}`) },
  { weight: 3, arbitrary: path.map((at) => `rm -rf ${at}`) },
  { weight: 3, arbitrary: fc.tuple(path, path).map(([from, to]) => `mv ${from} ${to}`) },
  { weight: 2, arbitrary: fc.tuple(path, path).map(([from, to]) => `ln ${from} ${to}`) },
  { weight: 2, arbitrary: fc.tuple(path, path).map(([from, to]) => `ln -s ${from} ${to}`) },
  { weight: 1, arbitrary: fc.tuple(path, path).map(([from, to]) => `cp -a ${from} ${to}`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(path, fc.constantFrom('700', '4755', '1777', '0'))
      .map(([at, mode]) => `chmod ${mode} ${at}`),
  },
  { weight: 1, arbitrary: fc.tuple(path, fc.nat(70_000)).map(([at, id]) => `chown -h ${id}:${id} ${at}`) },
  { weight: 1, arbitrary: path.map((at) => `mkfifo ${at}`) },
  { weight: 1, arbitrary: path.map((at) => `touch -h -d '2001-02-03 04:05:06' ${at}`) },
  { weight: 1, arbitrary: path.map((at) => `truncate -s 100000 ${at}`) },
);
const steps = fc.array(fc.array(action, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 });

/**
 * All of /data, one line a file: type, mode, owner, links, size, time, name, target, content. Links and sizes of folders
 * are not the image's: overlayfs makes them up for those that several layers have.
 */
const LIST = [
  `find /data -type d -exec stat -c '%F %a %u:%g %Y %N' {} + | sort`,
  `find /data ! -type d -exec stat -c '%F %a %u:%g %h %s %Y %N' {} + | sort`,
  `find /data -type f -exec md5sum {} + | sort`,
].join('; ');

/** What a step printed. */
function outputOf(stderr: string): string {
  const lines = stderr.split('\n').flatMap((line) => /^#\d+ [\d.]+ (.*)$/.exec(line)?.slice(1) ?? []);
  return `${lines.join('\n')}\n`;
}

describe.skipIf(lacks('root', 'busybox', 'docker-registry'))('layers', () => {
  test('bring back what a step left, whatever it did', { timeout: 3_000_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom('crun', 'namespaces'), async (all, runtime) => {
        const world = makeWorld();
        const runs = all.map(
          (actions) => `RUN ${actions.map((each) => `{ ${each}; } 2>/dev/null`).join('; ')}; true`,
        );
        // The step that lists sees the layers below it mounted; the last one of them is its own.
        const dockerfile = `FROM busybox\nRUN mkdir /data\n${runs.slice(0, -1).join('\n')}\n${runs.at(-1) ?? ''}; ${LIST}\n`;
        world.write({ Dockerfile: dockerfile });
        const env = { CAISSON_RUNTIME: lacks('crun') ? 'namespaces' : runtime };
        const { stderr } = await world.ok(['build', '-t', 'app', '.'], { env });
        const after = await world.ok(['run', 'app', 'sh', '-c', LIST], { env });
        expect(after.stdout).toBe(outputOf(stderr));
        // From the tars alone, without any tree that was there, it is the same again.
        await world.ok(['prune']);
        expect((await world.ok(['run', 'app', 'sh', '-c', LIST], { env })).stdout).toBe(after.stdout);
        await removeWorld(world);
      }),
      {
        numRuns: Number(process.env['PROPERTY_RUNS'] ?? 25),
        // A file that one step gives two names, and another copies up and changes nothing of.
        examples: [
          [[['truncate -s 100000 /data/c', 'ln /data/c /data/a'], ['chmod 644 /data/a']], 'crun'],
          [[['truncate -s 100000 /data/c', 'ln /data/c /data/a'], ['mv /data/c /data/a']], 'namespaces'],
        ],
      },
    );
  });
});
