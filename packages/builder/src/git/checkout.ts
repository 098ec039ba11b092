import type { Stats } from 'node:fs';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hostPath } from '@caisson/layer';
import { suggest } from '@caisson/parser';
import { errorCode } from '@caisson/sys';
import { buildError } from '../failure.ts';
import { GitError, runGit, type GitAccess, type GitOptions } from './git-program.ts';
import type { GitReference } from './git-reference.ts';
import { settleRepository } from './settle-repository.ts';
import { settleTree } from './settle-tree.ts';
import { fetchFailed, shownReference, type GitCommit } from './git-remote.ts';

/** How a repository is checked out. */
export interface CheckoutOptions {
  /** Whether `.git` stays. */
  readonly keepsGitFolder: boolean;
  readonly access: GitAccess;
  readonly signal: AbortSignal;
}

/**
 * Checks a commit out, with as little of its history as the server allows.
 * @param folder where; nothing is there yet
 * @returns the folder that the reference names in it
 * @throws BuildError `fetch-failed`, `missing-source` where there is no such folder in the repository
 */
export async function checkOut(
  reference: GitReference,
  commit: GitCommit,
  folder: string,
  { keepsGitFolder, access, signal }: CheckoutOptions,
): Promise<string> {
  await mkdir(folder, { mode: 0o755 });
  const git = (...args: string[]): Promise<string> => runGit(args, { cwd: folder, access, signal });
  try {
    await git('init', '--quiet');
    await git('remote', 'add', '--', 'origin', reference.remote);
    await fetchCommit(reference, commit, { cwd: folder, access, signal });
    await git('checkout', '--quiet', '--force', '--detach', commit.sha);
    if (reference.hasSubmodules && (await isThere(join(folder, '.gitmodules')))) {
      await git('submodule', '--quiet', 'update', '--init', '--recursive', '--depth', '1');
    }
  } catch (error) {
    throw fetchFailed(reference, error);
  }
  const time = reference.mtime === 'commit' ? await timeOf(commit.sha, git) : undefined;
  if (keepsGitFolder) await settleRepository(folder, commit, { access, signal });
  else await rm(join(folder, '.git'), { recursive: true });
  await settleTree(hostPath(folder), { time, hasGit: keepsGitFolder });
  return subdirOf(reference, folder);
}

/** The commit alone; from a server that gives no single commits, its ref, and then everything. */
async function fetchCommit(
  { remote, fetchesByCommit }: GitReference,
  { sha, ref, tag }: GitCommit,
  options: GitOptions,
): Promise<void> {
  const object = tag ?? sha;
  const single = ['--depth', '1', '--no-tags'];
  const attempts = [
    ...(ref === undefined || fetchesByCommit ? [] : [[...single, '--', remote, refspec(ref)]]),
    [...single, '--', remote, object],
    ['--tags', '--', remote, '+refs/heads/*:refs/heads/*'],
  ];
  let failure: GitError | undefined;
  for (const attempt of attempts) {
    failure = await failureOf([...FETCH, ...attempt], options);
    if (failure !== undefined) continue;
    if ((await failureOf(['cat-file', '-e', `${object}^{commit}`], options)) === undefined) return;
  }
  throw failure ?? buildError('missing-source', `${remote} has no commit ${sha}`);
}

const FETCH = ['fetch', '--quiet', '--force', '--update-head-ok', '--no-recurse-submodules'];

/** A branch and a tag keep their name, so that a kept .git knows it. */
function refspec(ref: string): string {
  return /^refs\/(?:heads|tags)\//.test(ref) ? `+${ref}:${ref}` : ref;
}

/** Runs git. @returns how it failed; undefined where it did not */
async function failureOf(args: readonly string[], options: GitOptions): Promise<GitError | undefined> {
  try {
    await runGit(args, options);
    return undefined;
  } catch (error) {
    if (error instanceof GitError) return error;
    throw error;
  }
}

async function timeOf(sha: string, git: (...args: string[]) => Promise<string>): Promise<Date> {
  return new Date(Number(await git('show', '--no-patch', '--format=%ct', sha)) * 1000);
}

async function isThere(path: string): Promise<boolean> {
  return (await statOf(path)) !== undefined;
}

/** What lies at a path, a link as itself; undefined where there is nothing. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** A folder of the repository: each name on the way must be one, and no link. */
async function subdirOf(reference: GitReference, folder: string): Promise<string> {
  const { subdir } = reference;
  if (subdir === undefined) return folder;
  let at = folder;
  for (const name of subdir.split('/')) {
    at = join(at, name);
    const stat = await statOf(at);
    if (stat?.isDirectory() === true) continue;
    const { remote } = reference;
    const message =
      stat === undefined ? `has no folder ${subdir}` : `has ${subdir}, but it is no folder of it`;
    const near = suggest(name, await readdir(dirname(at)));
    throw buildError('missing-source', `${shownReference({ ...reference, subdir: undefined })} ${message}`, {
      expected: `a folder of ${remote}, not behind a link`,
      ...(near === undefined || near === name ? {} : { suggestion: near }),
    });
  }
  return at;
}
