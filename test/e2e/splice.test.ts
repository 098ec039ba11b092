import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { checkStore } from '../rig/check-store.ts';
import { whyNoMaps } from '../rig/forms.ts';
import { lacks } from '../rig/tools.ts';
import { startWatch } from '../rig/watching.ts';
import { test, type World } from '../rig/world.ts';

/*
 * A COPY whose files changed a little takes the bytes of its last layer, and lies as a small tree on that one's tree or
 * map. Nobody must be able to tell.
 */

/** With the time, what is built in two stores is the same. */
const envOf = (forms: string) => ({ SOURCE_DATE_EPOCH: '1600000000', CAISSON_FORMS: forms });
const BASE = `FROM busybox
RUN mkdir -p /files/d3 && echo base > /files/d3/file-33 && echo base > /files/base
COPY files /files
`;
const LIST =
  'RUN find /files -type f -exec sha256sum {} + | sort -k 2 > /sums && find /files | sort > /names\n';

function writeFiles(world: World): void {
  for (let number = 0; number < 60; number++)
    world.write({ [`files/d${number % 6}/file-${number}`]: `${number} `.repeat(500) });
  world.write({ Dockerfile: `${BASE}${LIST}` });
}

/** The trees that lie on other layers, with those. */
async function deltas(world: World): Promise<Map<string, string>> {
  const trees = join(world.store, 'trees');
  const args = ['-h', '-n', 'trusted.caisson.base', '--absolute-names', ...readdirSync(trees)];
  const { stdout } = await execa('getfattr', args, { cwd: trees, reject: false });
  return new Map(
    [...stdout.matchAll(/^# file: (.*)\n.*="(.*)"$/gm)].map((match) => [match[1] ?? '', match[2] ?? '']),
  );
}

type Edit = readonly [what: string, newDeltas: number, edit: (files: string) => void];

/** What is edited, one after another, and whether what is new lies on the first layer. */
const EDITS: readonly Edit[] = [
  ['another content', 1, (files) => writeFileSync(join(files, 'd3/file-3'), 'edited')],
  ['another mode', 1, (files) => chmodSync(join(files, 'd4/file-4'), 0o4755)],
  [
    'new files in new folders',
    1,
    (files) => {
      mkdirSync(join(files, 'new/deep'), { recursive: true });
      writeFileSync(join(files, 'new/deep/file'), 'new');
    },
  ],
  ['another name of a file', 1, (files) => linkSync(join(files, 'd1/file-1'), join(files, 'd5/link'))],
  ['another content of a file with two names', 1, (files) => writeFileSync(join(files, 'd5/link'), 'both')],
  [
    'a file that is gone: that of the layer below shows again',
    0,
    (files) => rmSync(join(files, 'd3/file-33')),
  ],
  [
    'a folder in the place of a file',
    0,
    (files) => {
      rmSync(join(files, 'd2/file-2'));
      mkdirSync(join(files, 'd2/file-2'));
    },
  ],
  [
    'another content, on the new layer',
    1,
    (files) => writeFileSync(join(files, 'd3/file-3'), 'edited again'),
  ],
];

/** The files that blobs lie in, and their names. */
function blobsOf(store: string): [inode: number, name: string][] {
  const folder = join(store, 'blobs/sha256');
  return readdirSync(folder).flatMap((name): [number, string][] => {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    return stat === undefined ? [] : [[stat.ino, name]];
  });
}

/** The image id that another store gives, which takes nothing of what it has. */
function buildCold(world: World, env: Readonly<Record<string, string>>): Promise<string> {
  return world.build(['--no-cache'], { env: { ...env, CAISSON_ROOT: join(world.folder, 'cold') } });
}

/** So many edits of a watch leave more than it keeps. */
const ROUNDS = 21;

/** What one file has then, in bytes: more, fewer and others. */
const SIZES = [1000, 20, 20, 3000, 0];

const toSize =
  (size: number, number: number) =>
  (files: string): void =>
    writeFileSync(join(files, 'd3/file-4'), `${number}`.repeat(size));

const LACKS = lacks('root', 'busybox', 'docker-registry', 'setfattr');
const why = whyNoMaps === undefined ? '' : ` (${whyNoMaps})`;

/** What the first layer has, by the forms that are asked for. */
const FORMS = [
  { forms: 'trees', title: 'on a tree', isSkipped: LACKS, pathOf: (form: string) => `trees/${form}` },
  {
    forms: 'auto',
    title: `on a map${why}`,
    isSkipped: LACKS || whyNoMaps !== undefined,
    pathOf: (form: string) => `maps/${form}.erofs`,
  },
] as const;

for (const { forms, title, isSkipped, pathOf } of FORMS) {
  const env = envOf(forms);
  const build = (world: World, ...args: readonly string[]): Promise<string> => world.build(args, { env });

  describe.skipIf(isSkipped)(`a COPY whose files changed a little, ${title}`, () => {
    test('gives what a store without its last layer gives', { timeout: 300_000 }, async ({ world }) => {
      writeFiles(world);
      await build(world);
      const seen: unknown[] = [];
      for (const [what, , edit] of EDITS) {
        const before = (await deltas(world)).size;
        edit(join(world.context, 'files'));
        const isSame = (await build(world)) === (await buildCold(world, env));
        seen.push([what, { isSame, newDeltas: (await deltas(world)).size - before }]);
      }
      expect(seen).toEqual(EDITS.map(([what, newDeltas]) => [what, { isSame: true, newDeltas }]));
      expect(checkStore(world.store)).toEqual([]);
      expect((await world.run(['store', 'verify'])).stdout).toBe('all is what it should be\n');
    });

    test('is right when what its tree lies on is lost, or pruned', async ({ world }) => {
      writeFiles(world);
      await build(world);
      writeFileSync(join(world.context, 'files/d3/file-3'), 'edited');
      await build(world);
      const [base = ''] = (await deltas(world)).values();
      rmSync(join(world.store, pathOf(base)), { recursive: true });
      world.write({ Dockerfile: `${BASE}${LIST}RUN true\n` });
      expect(await build(world)).toBe(await buildCold(world, env));
      expect((await deltas(world)).size).toBe(0);
      await world.ok(['prune', '--all', '--force'], {});
      writeFileSync(join(world.context, 'files/d3/file-3'), 'edited again');
      expect(await build(world)).toBe(await buildCold(world, env));
    });

    test('has a tree that store verify looks at, as it does at what that lies on', async ({ world }) => {
      writeFiles(world);
      await build(world);
      writeFileSync(join(world.context, 'files/d3/file-3'), 'edited');
      await build(world);
      const [[delta, base] = ['', '']] = await deltas(world);
      for (const damaged of [`trees/${delta}`, pathOf(base)]) {
        const isMap = damaged.endsWith('.erofs');
        const file = join(world.store, damaged, isMap ? '' : 'files/d3/file-3');
        const bytes = readFileSync(file);
        writeFileSync(file, 'damage');
        const { exitCode, stdout } = await world.run(['store', 'verify']);
        expect(exitCode).toBe(1);
        const told = stdout.trim().split('\n');
        expect(told).toHaveLength(2);
        const place = isMap ? '' : ': "/files/d3/file-3"';
        expect(told[0]).toContain(`${damaged} is not what its layer gives${place}`);
        writeFileSync(file, bytes);
        utimesSync(file, 1_600_000_000, 1_600_000_000);
      }
      expect((await world.ok(['store', 'verify'])).stdout).toBe('all is what it should be\n');
    });

    test('is shown to those who mount nothing but trees', async ({ world }) => {
      writeFiles(world);
      await build(world);
      writeFileSync(join(world.context, 'files/d3/file-3'), 'edited');
      await build(world);
      world.write({ Dockerfile: `${BASE}${LIST}RUN cat /sums /names > /all\n` });
      expect(await world.build([], { env: envOf('trees') })).toBe(await buildCold(world, env));
      expect((await deltas(world)).size).toBe(1);
    });

    test('takes nothing of it with --no-cache', async ({ world }) => {
      writeFiles(world);
      await build(world);
      writeFileSync(join(world.context, 'files/d3/file-3'), 'edited');
      await build(world, '--no-cache');
      expect((await deltas(world)).size).toBe(0);
    });

    test('fills a new cache mount with all of its files', async ({ world }) => {
      writeFiles(world);
      const fill = (id: string): void =>
        world.write({
          Dockerfile: `FROM busybox AS seed\nCOPY files /\nFROM busybox\nRUN --mount=type=cache,id=${id},target=/c,from=seed,source=/ cat /c/d3/file-3 /c/d3/file-9 | md5sum > /sum\n`,
        });
      fill('one');
      await build(world);
      writeFileSync(join(world.context, 'files/d3/file-3'), 'edited');
      fill('two');
      expect(await build(world)).toBe(await buildCold(world, env));
    });
  });
}

describe.skipIf(LACKS)('a COPY whose files change under a watch', () => {
  const env = envOf('auto');

  test(
    'is written over layers that nothing needs any more, and gives what a cold build gives',
    {
      timeout: 600_000,
    },
    async ({ world }) => {
      writeFiles(world);
      const files = join(world.context, 'files');
      await using watch = startWatch(world, ['--iidfile', 'id'], { env });
      await watch.rest();
      const names = new Map<number, Set<string>>();
      const edit = async (how: (files: string) => void): Promise<void> => {
        how(files);
        await watch.rest();
        for (const [inode, name] of blobsOf(world.store))
          names.set(inode, (names.get(inode) ?? new Set()).add(name));
      };
      for (let number = 0; number < ROUNDS; number++)
        await edit(() => writeFileSync(join(files, 'd3/file-4'), String(number)));
      const isSame: boolean[] = [];
      for (const how of [...EDITS.map(([, , each]) => each), ...SIZES.map(toSize)]) {
        await edit(how);
        isSame.push(readFileSync(join(world.context, 'id'), 'utf8') === (await buildCold(world, env)));
      }
      expect(isSame).toEqual(isSame.map(() => true));
      expect(Math.max(...[...names.values()].map((all) => all.size))).toBeGreaterThan(1);
      watch.kill('SIGINT');
      expect(await watch.exitCode).toBe(130);
      expect(checkStore(world.store)).toEqual([]);
      // A tree that others lie on stays when its layer goes.
      expect((await world.ok(['store', 'verify'])).stdout).toContain('all is what it should be');
    },
  );
});
