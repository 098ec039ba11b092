import { existsSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { whyNoMaps } from '../rig/forms.ts';
import { lacks } from '../rig/tools.ts';
import { test, type World } from '../rig/world.ts';

const APP = {
  Dockerfile: [
    'FROM busybox AS files',
    'RUN mkdir -p /d/sub /gone && echo old > /d/sub/old && echo gone > /gone/file',
    'FROM busybox',
    'COPY --from=files /d /d',
    'COPY --from=files /gone /gone',
    'COPY src /src',
    'RUN rm -r /gone /src/two && echo more >> /src/one && ln /src/three /src/link',
    'COPY --chown=5:6 --chmod=4750 src/one /d/owned',
    "RUN touch /list /devices; find / -xdev -path /proc -prune -o -path /sys -prune -o -path /dev -prune -o -print | sort > /list; stat -c '%n %a %u:%g %h %s %Y' /src/* /d/owned /d/sub/old >> /list; stat -c %d / /src /src/three /bin/busybox | uniq | wc -l > /devices",
  ].join('\n'),
  'src/one': 'one\n',
  'src/two': 'two\n',
  'src/three': 'three\n',
};
const EPOCH = { SOURCE_DATE_EPOCH: '1600000000' };
const MAPS = { ...EPOCH, CAISSON_FORMS: 'maps' };

const files = (world: World, folder: string): string[] => readdirSync(join(world.store, folder)).toSorted();

const why = whyNoMaps === undefined ? '' : ` (${whyNoMaps})`;
describe.skipIf(lacks('root', 'busybox', 'docker-registry') || whyNoMaps !== undefined)(
  `layer maps${why}`,
  () => {
    test('and trees give one image, and show one device', { timeout: 240_000 }, async ({ world }) => {
      world.write(APP);
      const ids: string[] = [];
      for (const forms of ['trees', 'maps', 'auto']) {
        const root = join(world.folder, `store-${forms}`);
        const env = { ...EPOCH, CAISSON_FORMS: forms, CAISSON_ROOT: root };
        ids.push(await world.build(['-t', 'app'], { env }));
        expect((await world.ok(['run', 'app', 'cat', '/devices'], { env })).stdout).toBe('1\n');
        const maps = readdirSync(join(root, 'maps'));
        expect(maps.length > 0).toBe(forms !== 'trees');
        // What was pulled is compressed: only who asks for maps gets one of that, and its tar.
        expect(maps.some((name) => name.endsWith('.tar'))).toBe(forms === 'maps');
      }
      expect(new Set(ids).size).toBe(1);
    });

    test('that are damaged or gone are made again', { timeout: 240_000 }, async ({ world }) => {
      world.write(APP);
      const id = await world.build(['-t', 'app'], { env: MAPS });
      const maps = files(world, 'maps');
      expect(maps.some((name) => name.endsWith('.tar'))).toBe(true);
      for (const name of maps) truncateSync(join(world.store, 'maps', name), 5000);
      const { stdout } = await world.run(['store', 'verify']);
      expect(stdout.split('\n').filter((line) => line.startsWith('maps/'))).toEqual(
        maps.map((name) => `maps/${name} is not what its layer gives`),
      );
      await world.ok(['store', 'verify', '--repair']);
      expect(files(world, 'maps')).toEqual([]);
      expect(await world.build(['-t', 'app', '--no-cache'], { env: MAPS })).toBe(id);
      expect(files(world, 'maps').length).toBeGreaterThan(0);
    });

    test('are counted and pruned with the rest', { timeout: 240_000 }, async ({ world }) => {
      world.write(APP);
      await world.build(['-t', 'app'], { env: MAPS });
      await world.ok(['rmi', 'app']);
      const { stdout } = await world.ok(['prune', '--all', '--force']);
      expect(stdout).toMatch(/, \d+ maps, 1 unpacked layer, /);
      expect(files(world, 'maps')).toEqual([]);
      expect(existsSync(join(world.store, 'maps'))).toBe(true);
    });
  },
);

test('layer maps that are asked for where nothing can be mounted are an error', async ({ world }) => {
  world.write({ Dockerfile: 'FROM busybox\nCOPY Dockerfile /\nRUN true\n' });
  const env = { CAISSON_FORMS: 'maps', PATH: '/usr/bin/nowhere' };
  expect(await failureOf(world, ['build', '.'], { env })).toBe(
    [
      'error[step-not-run]: layers cannot be mounted through maps here: setpriv and unshare of util-linux are needed to run steps',
      '  at Dockerfile:2:1',
      '  1 | FROM busybox',
      '> 2 | COPY Dockerfile /',
      '    | ^^^^^^^^^^^^^^^^^',
      '  hint: CAISSON_FORMS=trees unpacks them instead',
      '  see docs/errors.md#step-not-run',
      'exit code 1',
      '',
    ].join('\n'),
  );
});
