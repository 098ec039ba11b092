import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '@caisson/sys';
import type { StorePaths } from './paths.ts';
import type { Session } from './session.ts';
import { writeDocument } from './write-document.ts';

/** How many are kept. */
const MOST = 50;

/** What is kept of the last builds, a file each, the text as it was given. */
export class BuildReports {
  readonly #paths: StorePaths;

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  /** Keeps a report, and drops the oldest beyond a bound. */
  async put(session: Session, id: string, text: string): Promise<void> {
    const folder = this.#paths.reports;
    await mkdir(folder, { recursive: true, mode: 0o700 }); // a store that is older than this has none
    await writeDocument(session, join(folder, `${id}.json`), text, 'cached');
    for (const name of (await this.#newestFirst()).slice(MOST)) await rm(join(folder, name), { force: true });
  }

  /** The report of a build, by its id or the beginning of it, or the last one; undefined where there is none. */
  async get(id = ''): Promise<string | undefined> {
    const name = (await this.#newestFirst()).find((each) => each.startsWith(id));
    if (name === undefined) return undefined;
    return readFile(join(this.#paths.reports, name), 'utf8').catch(() => undefined);
  }

  async #newestFirst(): Promise<string[]> {
    const folder = this.#paths.reports;
    try {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
      const times = await Promise.all(
        names.map(async (name) => {
          const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: 0 }));
          return { name, mtimeMs };
        }),
      );
      return times.toSorted((a, b) => b.mtimeMs - a.mtimeMs).map(({ name }) => name);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
