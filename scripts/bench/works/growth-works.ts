import { join } from 'node:path';
import { execa } from 'execa';
import { dockerfile, writeFiles } from '../contexts.ts';
import { measure } from '../measure.ts';
import type { Work } from '../work.ts';

/** One size, and twice that. */
function growth(work: {
  readonly id: string;
  readonly title: string;
  readonly isSlow: boolean;
  readonly sizes: readonly [number, number];
  readonly unit: string;
  readonly write: (folder: string, base: string, size: number) => void;
}): Work {
  const { id, title, isSlow, sizes, unit, write } = work;
  const names = sizes.map((size) => `${size.toLocaleString('en')} ${unit}`);
  return {
    id,
    title,
    isSlow,
    isOurs: true,
    columns: [...names.map((name) => `${name}, cold`), ...names.map((name) => `${name}, nothing changed`)],
    derived: {
      title: 'twice as much costs',
      of: ([cold = 0, twiceCold = 0, again = 0, twiceAgain = 0]) =>
        `${(twiceCold / cold).toFixed(2)}x / ${(twiceAgain / again).toFixed(2)}x`,
    },
    prepare: ({ folder, base }) => {
      for (const size of sizes) write(join(folder, String(size)), base, size);
      return Promise.resolve(async (builder) => {
        const cold = [];
        const again = [];
        for (const size of sizes) {
          await builder.reset(base);
          await execa('sync');
          cold.push(await measure(builder.build(join(folder, String(size)))));
          again.push(await measure(builder.build(join(folder, String(size)))));
        }
        return [...cold, ...again];
      });
    },
  };
}

function runs(count: number, stage: number): string[] {
  return Array.from({ length: count }, (_, number) => `RUN echo ${number} > /file-${stage}-${number}`);
}

/** Whether what is twice as large takes twice as long. */
export const GROWTH_WORKS: readonly Work[] = [
  growth({
    id: 'growth-files',
    title: 'growth: files of a context',
    isSlow: true,
    sizes: [100_000, 200_000],
    unit: 'files',
    write: (folder, base, size) => {
      writeFiles(join(folder, 'files'), size, size * 1000);
      dockerfile(folder, `FROM ${base}`, 'COPY files /files');
    },
  }),
  growth({
    id: 'growth-chain',
    title: 'growth: layers in one chain',
    isSlow: false,
    sizes: [60, 120],
    unit: 'RUN steps',
    write: (folder, base, size) => dockerfile(folder, `FROM ${base}`, ...runs(size, 0)),
  }),
  growth({
    id: 'growth-steps',
    title: 'growth: steps of ten stages',
    isSlow: true,
    sizes: [250, 500],
    unit: 'RUN steps',
    write: (folder, base, size) => {
      const numbers = Array.from({ length: 10 }, (_, number) => number);
      const stages = numbers.flatMap((number) => [
        `FROM ${base} AS stage-${number}`,
        ...runs(size / 10, number),
      ]);
      const copies = numbers.map((number) => `COPY --from=stage-${number} /file-${number}-0 /`);
      dockerfile(folder, ...stages, `FROM ${base}`, ...copies);
    },
  }),
];
