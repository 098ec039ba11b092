import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildError } from '../failure.ts';
import { GitError, runGit, type GitOptions } from './git-program.ts';
import type { GitReference } from './git-reference.ts';
import type { GitCommit } from './git-remote.ts';

/** There while something is fetched: one that is found was left by a process that was killed. */
const UNFINISHED = 'unfinished';
/** From so many on, packs become one. */
const MANY_PACKS = 50;

/**
 * Brings a commit into a bare repository of ours, with as little of its history as the server allows, and of that only
 * what is not there yet. A commit that is there is nobody asked about.
 * @throws GitError, BuildError `missing-source`
 */
export async function bringCommit(
  reference: GitReference,
  commit: GitCommit,
  options: GitOptions & { readonly cwd: string },
): Promise<void> {
  const { cwd } = options;
  const { sha, tag } = commit;
  const marker = join(cwd, UNFINISHED);
  if (existsSync(marker)) await sweep(cwd);
  if (await holds(tag ?? sha, options)) return;
  await writeFile(marker, '');
  await fetchCommit(reference, commit, options);
  await runGit(['update-ref', refOf(sha), sha], options);
  const packs = (await readdir(join(cwd, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'));
  if (packs.length >= MANY_PACKS) await runGit(['repack', '-a', '-d', '-q'], options);
  await rm(marker);
}

/** Each object that was asked for has a ref of ours: git tells the server of it, and its names mean nothing here. */
function refOf(object: string): string {
  return `refs/fetched/${object}`;
}

/** Whether all of an object is there. A ref is written last. */
async function holds(object: string, options: GitOptions): Promise<boolean> {
  const found = await attempt(['rev-parse', '--verify', '--quiet', refOf(object)], options);
  return found === object;
}

async function fetchCommit(
  { remote, fetchesByCommit }: GitReference,
  { sha, ref, tag }: GitCommit,
  options: GitOptions & { readonly cwd: string },
): Promise<void> {
  const object = tag ?? sha;
  const single = (source: string): readonly string[] => [
    '--depth=1',
    '--',
    remote,
    `+${source}:${refOf(object)}`,
  ];
  const everything = ['--', remote, '+refs/heads/*:refs/all/heads/*', '+refs/tags/*:refs/all/tags/*'];
  const isShallow = existsSync(join(options.cwd, 'shallow'));
  const attempts = [
    ...(ref === undefined || fetchesByCommit ? [] : [single(ref)]),
    single(object),
    ['--prune', ...(isShallow ? ['--unshallow'] : []), ...everything],
  ];
  let failure: GitError | undefined;
  for (const each of attempts) {
    const ended = await attempt([...FETCH, ...each], options);
    failure = ended instanceof GitError ? ended : undefined;
    if (failure !== undefined) continue;
    // Behind its name there may be another one by now.
    const update = await attempt(['update-ref', refOf(object), object], options);
    if (!(update instanceof GitError)) return;
  }
  throw failure ?? buildError('missing-source', `${remote} has no commit ${sha}`);
}

const FETCH = [
  '-c',
  'fetch.unpackLimit=1',
  'fetch',
  '--progress',
  '--force',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-recurse-submodules',
];

/** Runs git. @returns its output, or how it failed */
async function attempt(args: readonly string[], options: GitOptions): Promise<string | GitError> {
  try {
    return await runGit(args, options);
  } catch (error) {
    if (error instanceof GitError) return error;
    throw error;
  }
}

/** Removes locks and half packs of a git that was killed. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    if (/\.lock$|(?:^|\/)tmp_[^/]*$/.test(name))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}
