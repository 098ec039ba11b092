import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import type { Builder } from '../builders.ts';
import { dockerfile, editFile, words, writeFiles } from '../contexts.ts';
import { measure, type Measured } from '../measure.ts';
import type { Round, Work } from '../work.ts';

const COLD = 'cold';
const AGAIN = 'nothing changed';
const EDITED = 'one file edited';

/** Builds from nothing, and again. */
async function coldAndAgain(builder: Builder, context: string, base: string): Promise<Measured[]> {
  await builder.reset(base);
  await execa('sync'); // what the preparation left in memory is nobody's to write
  return [await measure(builder.build(context)), await measure(builder.build(context))];
}

function built(id: string, title: string, write: (folder: string, base: string) => void): Work {
  const prepare: Work['prepare'] = ({ folder, base }) => {
    write(folder, base);
    const round: Round = (builder) => coldAndAgain(builder, folder, base);
    return Promise.resolve(round);
  };
  return { id, title, columns: [COLD, AGAIN], prepare };
}

/** A context of many files, of which one is edited too. */
function copied(work: {
  readonly id: string;
  readonly title: string;
  readonly files: readonly [count: number, bytes: number];
  readonly after: readonly string[];
}): Work {
  const { id, title, files, after } = work;
  return {
    id,
    title,
    columns: [COLD, AGAIN, EDITED],
    prepare: ({ folder, base }) => {
      const parent = join(folder, 'files');
      writeFiles(parent, ...files);
      dockerfile(folder, `FROM ${base}`, 'COPY files /files', ...after);
      const round: Round = async (builder) => {
        const measured = await coldAndAgain(builder, folder, base);
        editFile(parent);
        return [...measured, await measure(builder.build(folder))];
      };
      return Promise.resolve(round);
    },
  };
}

/** Builds of all kinds: cold, again, after an edit. */
export const BUILD_WORKS: readonly Work[] = [
  built('runs', '30 small RUN steps', (folder, base) => {
    const steps = Array.from({ length: 30 }, (_, number) => `RUN echo ${number} > /file-${number}`);
    dockerfile(folder, `FROM ${base}`, ...steps);
  }),
  copied({
    id: 'copy-10k',
    title: 'COPY of 10,000 files (53 MB), then one RUN',
    files: [10_000, 53_000_000],
    after: ['RUN find /files -type f | wc -l > /count'],
  }),
  {
    ...copied({
      id: 'copy-100k',
      title: 'COPY of 100,000 files (1 GB)',
      files: [100_000, 1_000_000_000],
      after: [],
    }),
    isSlow: true,
  },
  built('add', 'ADD of a tar.gz of 10,000 files (250 MB)', (folder, base) => {
    writeFiles(join(folder, 'files'), 10_000, 250_000_000, words(50_000_000, 1));
    execaSync('tar', ['-C', folder, '--remove-files', '-czf', join(folder, 'files.tar.gz'), 'files']);
    dockerfile(folder, `FROM ${base}`, 'ADD files.tar.gz /');
  }),
  built('stages', 'three stages of 2 s side by side', (folder, base) => {
    const stage = (name: string): string => `FROM ${base} AS ${name}\nRUN sleep 2 && echo ${name} > /${name}`;
    const copies = ['one', 'two', 'three'].map((name) => `COPY --from=${name} /${name} /`);
    dockerfile(folder, stage('one'), stage('two'), stage('three'), `FROM ${base}`, ...copies);
  }),
  built('wide', '40 stages in a wide graph', (folder, base) => {
    const names = Array.from({ length: 39 }, (_, number) => `stage-${number}`);
    const stages = names.map((name) => `FROM ${base} AS ${name}\nRUN echo ${name} > /${name}`);
    const copies = names.map((name) => `COPY --from=${name} /${name} /`);
    dockerfile(folder, ...stages, `FROM ${base}`, ...copies);
  }),
  built('large-layer', 'RUN cp -a /usr (one layer of 120 MB)', (folder, base) =>
    dockerfile(folder, `FROM ${base}`, 'RUN cp -a /usr /copy'),
  ),
];
