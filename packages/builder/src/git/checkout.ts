import type { Stats } from 'node:fs';
import { lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hostPath } from '@caisson/layer';
import { suggest } from '@caisson/parser';
import { errorCode } from '@caisson/sys';
import { buildError } from '../failure.ts';
import { runGit, type GitOptions } from './git-program.ts';
import type { GitReference } from './git-reference.ts';
import { ALTERNATES, settleRepository } from './settle-repository.ts';
import { settleTree } from './settle-tree.ts';
import { shownReference, type GitCommit } from './git-remote.ts';

/** What a checkout is made with. */
export type CheckoutOptions = Omit<GitOptions, 'cwd'>;

/**
 * Lays out the files of a commit, without submodules. The checkout has no objects of its own: it sees those of another
 * repository.
 * @param folder where; nothing is there yet
 * @param objects the bare repository that has the commit
 * @throws GitError
 */
export async function layOut(
  { remote }: GitReference,
  { sha }: GitCommit,
  folder: string,
  objects: string,
  options: CheckoutOptions,
): Promise<void> {
  await mkdir(folder, { mode: 0o755 });
  const git = (...args: string[]): Promise<string> => runGit(args, { ...options, cwd: folder });
  await git('init', '--quiet');
  await git('remote', 'add', '--', 'origin', remote);
  await mkdir(join(folder, '.git', 'objects', 'info'), { recursive: true });
  await writeFile(join(folder, '.git', ALTERNATES), `${join(objects, 'objects')}\n`);
  await writeFile(join(folder, '.git', 'shallow'), `${sha}\n`);
  await git('checkout', '--quiet', '--force', '--detach', sha);
}

/**
 * Brings the submodules into a checkout, and makes it the same wherever it was made.
 * @param folder what {@link layOut} made
 * @returns the folder that the reference names in it
 * @throws GitError; BuildError `missing-source` where there is no such folder in the repository
 */
export async function completeCheckout(
  reference: GitReference,
  commit: GitCommit,
  folder: string,
  keepsGitFolder: boolean,
  options: CheckoutOptions,
): Promise<string> {
  const git = (...args: string[]): Promise<string> => runGit(args, { ...options, cwd: folder });
  if (reference.hasSubmodules && (await isThere(join(folder, '.gitmodules')))) {
    await git('submodule', '--quiet', 'update', '--init', '--recursive', '--depth', '1');
  }
  const time = reference.mtime === 'commit' ? await timeOf(commit.sha, git) : undefined;
  if (keepsGitFolder) await settleRepository(folder, commit, options);
  else await rm(join(folder, '.git'), { recursive: true });
  await settleTree(hostPath(folder), { time, hasGit: keepsGitFolder });
  return subdirOf(reference, folder);
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
