import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { BASE_CONFIG, debianRoot } from '../../../test/rig/base-images.ts';
import { packTar, type TarItem } from '../../../test/rig/pack-tar.ts';
import { pushByHand } from '../../../test/rig/push-image.ts';
import { startRegistry } from '../../../test/rig/registry.ts';
import { dockerfile, words, writeFiles } from '../contexts.ts';
import { startFarRegistry } from '../far-registry.ts';
import { measure } from '../measure.ts';
import type { Work } from '../work.ts';

const MB = 1_000_000;
const FAR = { latency: 40, rate: 20 * MB };

/** How one layer is pushed, and how far. */
const PUSHES = [
  ['gzip', undefined],
  ['gzip', FAR],
  ['zstd', undefined],
] as const;

/** 20,000 files of 50 kB, in folders of 100. */
function largeLayer(): Promise<Buffer> {
  const bytes = words(100 * MB, 1);
  const items: TarItem[] = [];
  for (let number = 0; number < 20_000; number++) {
    if (number % 100 === 0) items.push({ name: `large/${number / 100}/`, type: 'directory' });
    const from = (number * 50_021) % (bytes.length - 50_000);
    const name = `large/${Math.floor(number / 100)}/${number}`;
    items.push({ name, type: 'file', content: bytes.subarray(from, from + 50_000) });
  }
  return packTar(items);
}

/** Eight layers of 20 MB that do not compress. */
function eightLayers(): Promise<Buffer[]> {
  const names = Array.from({ length: 8 }, (_, number) => `layer-${number}`);
  return Promise.all(names.map((name) => packTar([{ name, type: 'file', content: randomBytes(20 * MB) }])));
}

/** Images that come and go. */
export const TRANSFER_WORKS: readonly Work[] = [
  {
    id: 'export',
    title: 'COPY of 10,000 files (53 MB) as the last step, then the image as an archive',
    columns: ['cold', 'nothing changed'],
    prepare: ({ folder, base }) => {
      const context = join(folder, 'context');
      writeFiles(join(context, 'files'), 10_000, 53 * MB);
      dockerfile(context, `FROM ${base}`, 'COPY . /');
      const archive = join(folder, 'image.tar');
      return Promise.resolve(async (builder) => {
        await builder.reset(base);
        await execa('sync');
        const measured = [];
        for (let time = 0; time < 2; time++) {
          rmSync(archive, { force: true });
          measured.push(await measure(...builder.export(context, archive)));
        }
        return measured;
      });
    },
  },
  {
    id: 'pull',
    title: 'run of an image of 20,000 files (1 GB) that has to be pulled',
    columns: ['cold'],
    isSlow: true,
    prepare: async ({ registry }) => {
      const layers = [await debianRoot(), await largeLayer()];
      await pushByHand(registry.host, 'large:latest', { layers, config: BASE_CONFIG });
      const image = `${registry.host}/large`;
      return async (builder) => {
        await builder.reset(undefined, image);
        await execa('sync');
        const measured = [await measure(...builder.pullAndRun(image))];
        // An engine keeps layers as long as an image has them, also for the next run of this script.
        await builder.reset(undefined, image);
        return measured;
      };
    },
  },
  {
    id: 'far',
    title:
      'a RUN of 2 s, its file copied onto an image of 8 layers (160 MB), both images 40 ms and 20 MB/s a connection away',
    columns: ['cold'],
    prepare: async ({ folder, registry }) => {
      const layers = [await debianRoot(), ...(await eightLayers())];
      await pushByHand(registry.host, 'layers:latest', { layers, config: BASE_CONFIG });
      const context = join(folder, 'context');
      mkdirSync(context);
      return async (builder) => {
        await using far = await startFarRegistry(registry.host, FAR);
        const [base, onto] = [`${far.host}/base`, `${far.host}/layers`];
        const build = [`FROM ${base} AS build`, 'RUN sleep 2 && echo done > /done'];
        dockerfile(context, ...build, `FROM ${onto}`, 'COPY --from=build /done /');
        await builder.reset(undefined, base, onto);
        await execa('sync');
        const measured = [await measure(builder.build(context))];
        await builder.reset(undefined, base, onto);
        return measured;
      };
    },
  },
  {
    id: 'push',
    title: 'push of one layer of 1 GB',
    columns: ['gzip', 'gzip, 40 ms and 20 MB/s away', 'zstd'],
    isSlow: true,
    prepare: ({ folder, base, stores }) => {
      const context = join(folder, 'context');
      mkdirSync(join(context, 'data'), { recursive: true });
      for (let number = 0; number < 10; number++)
        writeFileSync(join(context, 'data', String(number)), words(100 * MB, number));
      dockerfile(context, `FROM ${base}`, 'COPY data /data');
      return Promise.resolve(async (builder) => {
        const measured = [];
        for (const [compression, distance] of PUSHES) {
          // A registry and a builder that know nothing of it: both remember what was sent.
          await using registry = await startRegistry(stores);
          await using far = distance && (await startFarRegistry(registry.host, distance));
          const commands = builder.push(`${(far ?? registry).host}/bench`, compression);
          if (commands !== undefined) {
            await builder.reset(base);
            await measure(builder.build(context));
            await execa('sync');
          }
          measured.push(commands && (await measure(...commands)));
        }
        return measured;
      });
    },
  },
];
