import type { Dirent } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runGit, type GitOptions } from './git-program.ts';
import type { GitCommit } from './git-remote.ts';

/** Names another repository whose objects are seen. */
export const ALTERNATES = join('objects', 'info', 'alternates');

/** What says who fetched a repository, when, and what else its server had. What of it is needed is made again. */
const TRACES = ['FETCH_HEAD', 'ORIG_HEAD', 'index', 'logs', 'packed-refs', 'refs', 'shallow'];

/**
 * Makes a `.git` that stays the same wherever and whenever it was made: it has the commit, without history, the ref that
 * it was asked for by, one pack of its objects, and an index that knows no inodes and times (git takes them in when it
 * first looks). The same goes for those of its submodules.
 * @param folder of the checkout
 * @param commit what is checked out
 */
export async function settleRepository(
  folder: string,
  commit: GitCommit,
  options: Omit<GitOptions, 'cwd'>,
): Promise<void> {
  const gitDir = join(folder, '.git');
  await settle(gitDir, commit, { ...options, cwd: folder });
  for (const module of await submodulesOf(gitDir)) {
    const git = gitIn(module, { ...options, cwd: folder });
    const sha = await git('rev-parse', 'HEAD');
    // They were cloned from the branch that their server had as its own then.
    for (const section of await branchSections(git)) await git('config', '--remove-section', section);
    await git('config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*');
    await settle(module, { sha, ref: undefined, tag: undefined }, { ...options, cwd: folder });
  }
}

type Git = (...args: readonly string[]) => Promise<string>;

function gitIn(gitDir: string, options: GitOptions): Git {
  return (...args) => runGit([`--git-dir=${gitDir}`, ...args], options);
}

async function settle(gitDir: string, { sha, ref, tag }: GitCommit, options: GitOptions): Promise<void> {
  const git = gitIn(gitDir, options);
  const hasHistory = /^parent /m.test((await git('cat-file', 'commit', sha)).split('\n\n', 1)[0] ?? '');
  for (const name of TRACES) await rm(join(gitDir, name), { recursive: true, force: true });
  await writeFile(join(gitDir, 'HEAD'), `${sha}\n`);
  if (hasHistory) await writeFile(join(gitDir, 'shallow'), `${sha}\n`);
  for (const kind of ['heads', 'tags']) await mkdir(join(gitDir, 'refs', kind), { recursive: true });
  if (ref !== undefined && isKept(ref)) await git('update-ref', ref, tag ?? sha);
  await git(...PACKING, 'repack', '-q', '-a', '-d', '-F', '--window=0', '--depth=0');
  await rm(join(gitDir, ALTERNATES), { force: true }); // the pack has all
  await git('prune', '--expire=now');
  await git('read-tree', sha);
  await rm(join(gitDir, 'logs'), { recursive: true, force: true });
}

/** One thread and no deltas: the same objects are the same pack. */
const PACKING = [
  '-c',
  'pack.threads=1',
  '-c',
  'repack.writeBitmaps=false',
  '-c',
  'pack.writeReverseIndex=false',
];

/** A branch and a tag keep their name, as with docker: `git describe` finds the tag. */
function isKept(ref: string): boolean {
  return /^refs\/(?:heads|tags)\//.test(ref);
}

/** The repositories of the submodules, and of theirs. */
async function submodulesOf(gitDir: string): Promise<string[]> {
  const found: string[] = [];
  const look = async (folder: string): Promise<void> => {
    for (const entry of await foldersIn(folder)) {
      const path = join(folder, entry.name);
      const isRepository = (await readFile(join(path, 'HEAD')).catch(() => undefined)) !== undefined;
      if (isRepository) found.push(path, ...(await submodulesOf(path)));
      else await look(path); // the name of a submodule may have slashes
    }
  };
  await look(join(gitDir, 'modules'));
  return found;
}

async function foldersIn(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory());
}

async function branchSections(git: Git): Promise<Set<string>> {
  const names = await git('config', '--name-only', '--list', '--local');
  const branches = names.split('\n').filter((name) => name.startsWith('branch.'));
  return new Set(branches.map((name) => name.slice(0, name.lastIndexOf('.'))));
}
