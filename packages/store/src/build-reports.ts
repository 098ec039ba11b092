import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '@caisson/sys';
import type { BuildLogs } from './build-logs.ts';
import type { StorePaths } from './paths.ts';
import type { Session } from './session.ts';
import { writeDocument } from './write-document.ts';

/** How many are kept. */
const MOST = 50;

/** What is kept of the last builds, a file each, the text as it was given. The logs of other builds are dropped. */
export class BuildReports {
  readonly #paths: StorePaths;
  readonly #logs: BuildLogs;

  constructor(paths: StorePaths, logs: BuildLogs) {
    this.#paths = paths;
    this.#logs = logs;
  }

  /** Notes that a build is running, so that it is known of if it is killed. */
  async begin(session: Session, text: string): Promise<void> {
    await mkdir(this.#paths.reports, { recursive: true, mode: 0o700 }); // a store that is older than this has none
    await writeDocument(session, this.#path(session.id), text, 'cached');
  }

  /** Keeps the report of a session's build that has ended, and drops the oldest beyond a bound, with their logs. */
  async end(session: Session, text: string): Promise<void> {
    await writeDocument(session, this.#path(session.id), text, 'cached');
    const ids = await this.ids();
    for (const id of ids.slice(MOST)) await rm(this.#path(id), { force: true });
    await this.#logs.keepOnly(ids.slice(0, MOST));
  }

  /** Forgets that a session's build began. */
  async drop(session: Session): Promise<void> {
    await rm(this.#path(session.id), { force: true });
  }

  /** The report of a build; undefined where there is none. */
  async get(id: string): Promise<string | undefined> {
    return readFile(this.#path(id), 'utf8').catch(() => undefined);
  }

  /** The builds of which something is kept, the last one that ended or began first. */
  async ids(): Promise<string[]> {
    return (await reportedBuilds(this.#paths)).map(({ id }) => id);
  }

  #path(id: string): string {
    return join(this.#paths.reports, `${id}${SUFFIX}`);
  }
}

const SUFFIX = '.json';

/** A build of which a report is kept. */
export interface ReportedBuild {
  readonly id: string;
  /** When it ended; when it began, where it has not ended. */
  readonly at: Date;
}

/** The builds of which a report is kept, the last one first. */
export async function reportedBuilds({ reports: folder }: StorePaths): Promise<ReportedBuild[]> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
    const builds = await Promise.all(
      names.map(async (name) => {
        const { mtime } = await stat(join(folder, name)).catch(() => ({ mtime: new Date(0) }));
        return { id: name.slice(0, -SUFFIX.length), at: mtime };
      }),
    );
    return builds.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
