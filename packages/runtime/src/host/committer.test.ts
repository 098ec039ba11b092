import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Committer, type CommitTask } from './committer.ts';
import { Running } from './running.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-committer-'));
  mkdirSync(join(folder, 'upper'));
  for (const name of ['a', 'b']) writeFileSync(join(folder, 'upper', name), name);
});
afterEach(() => rmSync(folder, { recursive: true }));

const task = (name: string): CommitTask => ({
  upper: join(folder, 'upper'),
  before: undefined,
  tar: join(folder, `${name}.tar`),
  toc: join(folder, `${name}.json`),
});

test('a layer of a step that is cancelled is given up, those of others are made', async () => {
  const committer = new Committer();
  const [first, second, third] = [new Running(), new Running(), new Running()];
  second.kill();
  const layers = Promise.allSettled([
    committer.commit(task('first'), first),
    committer.commit(task('second'), second),
    committer.commit(task('third'), third),
  ]);
  expect(await layers).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'aborted', message: 'the step was cancelled' } },
    { status: 'fulfilled' },
  ]);
  expect(['first', 'second', 'third'].map((name) => existsSync(join(folder, `${name}.json`)))).toStrictEqual([
    true,
    false,
    true,
  ]);
});
