import { suggest } from '@caisson/parser';
import { buildError } from '../failure.ts';
import { optionWords } from '../option-words.ts';
import { GitError, runGit, type GitAccess } from './git-program.ts';
import type { GitReference } from './git-reference.ts';
import { isFullCommit, refProblem } from './ref-name.ts';

/** A commit of a repository, and by what name it was found. */
export interface GitCommit {
  /** 40 or 64 hex digits. */
  readonly sha: string;
  /** The whole name of the ref that points to it; undefined where the commit itself was named. */
  readonly ref: string | undefined;
  /** The object of an annotated tag that points to it, where it was named by one. */
  readonly tag: string | undefined;
}

/**
 * Asks a server which commit a reference means now. A whole commit is nobody asked about.
 * @throws BuildError `missing-source` where there is no such ref, `bad-checksum`, `fetch-failed`
 */
export async function resolveCommit(
  reference: GitReference,
  access: GitAccess,
  signal: AbortSignal,
): Promise<GitCommit> {
  const found = await find(reference, access, signal);
  const { commit, remote } = reference;
  if (commit === undefined || found.sha.startsWith(commit)) return found;
  throw buildError(
    'bad-checksum',
    `${shownReference(reference)} is not what its checksum says: it is ${found.sha}`,
    {
      expected: `a commit of ${remote} that begins with ${commit}`,
    },
  );
}

async function find(reference: GitReference, access: GitAccess, signal: AbortSignal): Promise<GitCommit> {
  const { remote, ref = 'HEAD' } = reference;
  if (isFullCommit(ref)) return { sha: ref, ref: undefined, tag: undefined };
  try {
    const listed = await runGit(['ls-remote', '--symref', '--', remote, ref, `${ref}^{}`], {
      access,
      signal,
    });
    const found = choose(ref, refsOf(listed));
    if (found !== undefined) return { ...found, ref: headOf(listed) ?? found.ref };
    const all = refsOf(await runGit(['ls-remote', '--heads', '--tags', '--', remote], { access, signal }));
    throw noSuchRef(reference, ref, [...all.keys()]);
  } catch (error) {
    throw fetchFailed(reference, error);
  }
}

function refsOf(listed: string): Map<string, string> {
  return new Map(
    listed.split('\n').flatMap((line): [string, string][] => {
      const [, sha = '', name = ''] = /^([0-9a-f]{40,64})\t(\S+)$/.exec(line) ?? [];
      return name === '' ? [] : [[name, sha]];
    }),
  );
}

/** The branch that HEAD stands for. Its name is the server's word: one that git would not take is passed over. */
function headOf(listed: string): string | undefined {
  const name = /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(listed)?.[1];
  return name === undefined || refProblem(name) !== undefined ? undefined : name;
}

/** Among several that a short name fits, the one that git itself takes: tags before branches. */
function choose(ref: string, refs: ReadonlyMap<string, string>): GitCommit | undefined {
  for (const name of [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`]) {
    // An annotated tag is an object of its own; behind it stands the commit.
    const sha = refs.get(name);
    const behind = refs.get(`${name}^{}`);
    if (sha !== undefined)
      return { sha: behind ?? sha, ref: name, tag: behind === undefined ? undefined : sha };
  }
  return undefined;
}

function noSuchRef(reference: GitReference, ref: string, known: readonly string[]): Error {
  const short = known
    .filter((name) => !name.endsWith('^{}'))
    .map((name) => name.replace(/^refs\/(?:heads|tags)\//, ''));
  const near = suggest(ref.replace(/^refs\/(?:heads|tags)\//, ''), short);
  const isShortCommit = /^[0-9a-f]{7,63}$/.test(ref);
  return buildError('missing-source', `${reference.remote} has no branch or tag ${JSON.stringify(ref)}`, {
    ...(near === undefined ? {} : { suggestion: near }),
    ...(isShortCommit ? { hint: 'a commit is named by all of its 40 digits' } : {}),
  });
}

/** What a failure of git means; another error is passed on. */
export function fetchFailed({ remote }: GitReference, error: unknown): unknown {
  if (!(error instanceof GitError)) return error;
  const text = error.message;
  const hint = hints().find(([pattern]) => pattern.test(text))?.[1];
  return buildError(
    'fetch-failed',
    `the git repository ${remote} cannot be fetched`,
    { details: error.lines, ...(hint === undefined ? {} : { hint }) },
    error,
  );
}

const hints = (): readonly (readonly [RegExp, string])[] => [
  [
    /could not read Username|Authentication failed|HTTP 401|error: 40[13]/,
    `the secret GIT_AUTH_TOKEN, or GIT_AUTH_TOKEN.HOST, is sent to its server: ${optionWords().secretVariable('GIT_AUTH_TOKEN')}`,
  ],
  [
    /Host key verification failed/,
    'its host must stand in known_hosts: ssh-keyscan HOST, and compare the key',
  ],
  [/Permission denied \(publickey/, 'ssh-agent must have a key for it: ssh-add -l lists those that it has'],
  [/cannot run ssh|ssh: not found/, 'apt-get install openssh-client'],
  [
    /unable to update url base from redirection|error: 30[1278]\b/,
    'with credentials no redirect is followed: name the address that it leads to',
  ],
];

/** A reference as people know it. */
export function shownReference({ remote, ref, subdir }: GitReference): string {
  if (ref === undefined && subdir === undefined) return remote;
  return `${remote}#${ref ?? ''}${subdir === undefined ? '' : `:${subdir}`}`;
}
