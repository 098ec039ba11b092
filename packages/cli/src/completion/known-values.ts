import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { shownName } from '../image-names.ts';
import { ago } from '../output/format.ts';
import { storeRoot } from '@caisson/store';
import type { Terminal } from '../terminal.ts';
import type { Candidate } from './complete.ts';
import type { LineSoFar } from './cursor.ts';

/** The names of the images in the store that a command line means; none where it has none that can be read. */
export async function imageNames({ values }: LineSoFar, terminal: Terminal): Promise<string[]> {
  const { namesIn } = await import('@caisson/store');
  const names = await namesIn(storeRoot(terminal, values.get('--root')?.at(-1)));
  return names.map(shownName).toSorted();
}

/** The builds that the store knows, the newest first. */
export async function buildIds({ values }: LineSoFar, terminal: Terminal): Promise<Candidate[]> {
  const { buildsIn } = await import('@caisson/store');
  const builds = await buildsIn(storeRoot(terminal, values.get('--root')?.at(-1)));
  const now = Date.now();
  return builds.map(({ id, at }) => ({ value: id, description: ago(at.toISOString(), now) }));
}

/** The named stages of the Dockerfile that a command line means; none where it cannot be read. */
export async function stageNames({ words, values }: LineSoFar, { cwd }: Terminal): Promise<string[]> {
  const [context = '.'] = words;
  const file = values.get('--file')?.at(-1);
  const paths =
    file === undefined
      ? ['Dockerfile', 'dockerfile'].map((name) => resolve(cwd, join(context, name)))
      : [resolve(cwd, file)];
  for (const path of paths) {
    try {
      // What is no file, a pipe for one, may never end.
      if (!(await stat(path)).isFile()) continue;
      const { parseDockerfile } = await import('@caisson/parser');
      const { stages } = parseDockerfile(await readFile(path, 'utf8')).dockerfile;
      return stages.flatMap(({ name }) => (name === undefined ? [] : [name]));
    } catch {
      continue; // a shell that completes has nowhere to say what is wrong
    }
  }
  return [];
}
