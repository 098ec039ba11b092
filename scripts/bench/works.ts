import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Something that is built, by us and by the peers. */
export interface Work {
  readonly name: string;
  /** Writes its context. */
  readonly write: (folder: string, base: string) => void;
}

/** The works of the comparison. */
export const WORKS: readonly Work[] = [
  {
    name: '30 small RUN steps',
    write: (folder, base) => {
      const steps = Array.from({ length: 30 }, (_, number) => `RUN echo ${number} > /file-${number}`);
      dockerfile(folder, `FROM ${base}`, ...steps);
    },
  },
  {
    name: 'COPY of 10,000 files (53 MB), then one RUN',
    write: (folder, base) => {
      writeFiles(join(folder, 'files'), 10_000, 53_000_000);
      dockerfile(folder, `FROM ${base}`, 'COPY files /files', 'RUN find /files -type f | wc -l > /count');
    },
  },
  {
    name: 'three stages of 2 s side by side',
    write: (folder, base) => {
      const stage = (name: string): string =>
        `FROM ${base} AS ${name}\nRUN sleep 2 && echo ${name} > /${name}`;
      const copies = ['one', 'two', 'three'].map((name) => `COPY --from=${name} /${name} /`);
      dockerfile(folder, stage('one'), stage('two'), stage('three'), `FROM ${base}`, ...copies);
    },
  },
  {
    name: 'RUN cp -a /usr (one layer of 120 MB)',
    write: (folder, base) => dockerfile(folder, `FROM ${base}`, 'RUN cp -a /usr /copy'),
  },
];

function dockerfile(folder: string, ...lines: readonly string[]): void {
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
}

/** Files of different sizes, a hundred a folder, whose bytes are the same each time. */
function writeFiles(folder: string, count: number, total: number): void {
  let state = 1;
  const next = (): number => (state = (state * 48_271) % 2_147_483_647);
  const average = total / count;
  for (let number = 0; number < count; number++) {
    const parent = join(folder, `folder-${Math.floor(number / 100)}`);
    if (number % 100 === 0) mkdirSync(parent, { recursive: true });
    const size = Math.round(average * (0.2 + (1.6 * (next() % 1000)) / 1000));
    writeFileSync(join(parent, `file-${number}.txt`), Buffer.alloc(size, `${next()} `));
  }
}
