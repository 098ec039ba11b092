import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyProject, seeingProject } from '../rig/random-builds/any-project.ts';
import { writeBaseLayout } from '../rig/random-builds/base-layouts.ts';
import { buildProject, withoutTimes, type Site } from '../rig/random-builds/build-project.ts';
import { anyEdit, edited, seenEdit, type Edit } from '../rig/random-builds/edit.ts';
import { dockerfileOf, whatMatters, type Project } from '../rig/random-builds/project.ts';
import { disturb, syncFolder } from '../rig/random-builds/sync-folder.ts';
import { lacks } from '../rig/tools.ts';

/** For how long new projects are made; `npm run fuzz-cache` sets it higher. What failed is shrunk without a limit. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 60);

/** Older than every file of a context. */
const EPOCH = 1_600_000_000;

/** In memory where that can be: what counts here is not the disk. */
const MEMORY = '/dev/shm';

describe.skipIf(lacks('root', 'busybox'))(
  'any project, edited',
  { timeout: 600_000 + SECONDS * 1000 },
  () => {
    const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'caisson-projects-'));
    const bases = join(folder, 'bases');
    beforeAll(async () => {
      for (const base of ['one', 'two']) await writeBaseLayout(join(bases, base), `${base}\n`);
    });
    afterAll(() => rm(folder, { recursive: true }));

    test.for([
      ['with any files and instructions', anyProject, anyEdit, 1],
      // Few of those change what a RUN sees besides files.
      ['with instructions that a RUN shows', seeingProject, seenEdit, 0.25],
    ] as const)('%s, is built as without a cache, and what cannot matter runs nothing', async (given) => {
      const [, projects, edit, share] = given;
      const ends = Date.now() + SECONDS * share * 1000;
      let hasFailed = false;
      let run = 0;
      await fc.assert(
        fc
          .asyncProperty(
            projects,
            fc.array(edit, { maxLength: 6 }),
            fc.boolean(),
            async (project, edits, hasEpoch) => {
              if (!hasFailed && Date.now() > ends) return;
              run++;
              const sourceDateEpoch = hasEpoch ? EPOCH : undefined;
              try {
                await new Story({ folder: join(folder, `run-${run}`), bases, sourceDateEpoch }).tell(
                  project,
                  edits,
                );
              } catch (error) {
                hasFailed = true;
                throw error;
              }
            },
          )
          .afterEach(() => rm(join(folder, `run-${run}`), { recursive: true, force: true })),
        { numRuns: SECONDS * 20 },
      );
      expect(run).toBeGreaterThan(0);
    });
  },
);

/** A project that is built, edited and built again, with a cache; and each time without one, to compare with. */
class Story {
  readonly folder: string;
  readonly #site: Site;
  readonly #lines: string[] = [];

  constructor({ folder, ...rest }: Pick<Site, 'bases' | 'sourceDateEpoch'> & { readonly folder: string }) {
    this.folder = folder;
    const [root, context] = [join(folder, 'warm'), join(folder, 'context')];
    mkdirSync(context, { recursive: true });
    this.#site = { ...rest, root, context };
  }

  async tell(first: Project, edits: readonly Edit[]): Promise<void> {
    try {
      await this.#tell(first, edits);
    } catch (error) {
      throw new Error(this.#lines.join('\n'), { cause: error });
    }
  }

  async #tell(first: Project, edits: readonly Edit[]): Promise<void> {
    this.#lines.push(`SOURCE_DATE_EPOCH ${this.#site.sourceDateEpoch ?? 'is not set'}`, shown(first));
    let project = first;
    syncFolder(this.#site.context, project);
    // What was built without an epoch has times that may be in no image with one.
    if (this.#site.sourceDateEpoch !== undefined)
      await buildProject(project, { ...this.#site, sourceDateEpoch: undefined });
    let built = await buildProject(project, this.#site);
    for (const edit of [undefined, ...edits]) {
      const before = { project, built };
      if (edit !== undefined) project = this.#apply(project, edit);
      built = await buildProject(project, this.#site);
      const isCached = built.kind === 'failure' || built.cached > 0;
      if (!isCached && edit !== undefined) continue; // a cold build itself
      // Another checkout, too: with other times, inodes and owners.
      const [root, context] = [join(this.folder, 'cold'), join(this.folder, 'elsewhere')];
      mkdirSync(context);
      syncFolder(context, project);
      const cold = await buildProject(project, { ...this.#site, root, context });
      expect(await withoutTimes(built)).toStrictEqual(await withoutTimes(cold));
      await Promise.all([root, context].map((each) => rm(each, { recursive: true })));
      if (built.kind === 'failure' || cold.kind === 'failure') continue;
      if (this.#site.sourceDateEpoch !== undefined) expect(built.id).toBe(cold.id);
      if (before.built.kind === 'image' && whatMatters(before.project) === whatMatters(project))
        expect(built.ran).toStrictEqual([]);
    }
  }

  #apply(project: Project, edit: Edit): Project {
    const now = edited(project, edit);
    const change = dockerfileOf(now) === dockerfileOf(project) ? '' : `\n${dockerfileOf(now)}`;
    this.#lines.push(`edit: ${JSON.stringify(edit)}${change}`);
    syncFolder(this.#site.context, now, edit.kind === 'write' && edit.keepsTime);
    if (edit.kind === 'touch' || edit.kind === 'chown' || edit.kind === 'copy-over')
      disturb(this.#site.context, edit);
    return now;
  }
}

function shown(project: Project): string {
  const { files, ignored, buildArgs } = project;
  const lines = [...files].map(([path, file]) => `${path} ${JSON.stringify(file)}`);
  return `${lines.join('\n')}\n.dockerignore ${ignored.join(' ')}\nargs ${JSON.stringify(buildArgs)}\n${dockerfileOf(project)}`;
}
