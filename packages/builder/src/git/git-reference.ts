import { posix } from 'node:path';
import { suggest } from '@caisson/parser';
import { err, ok, type Result } from '@caisson/oci';
import { refProblem } from './ref-name.ts';

/** What of a git repository is meant: `https://host/app.git#v1:docs`. */
export interface GitReference {
  /** What git fetches from, without user name and password. */
  readonly remote: string;
  /** `user:password` as the URL has them, decoded. For whoever asks the server, never to be shown. */
  readonly credentials: string | undefined;
  /** A branch, a tag, a commit or a full `refs/...`; undefined for what the repository has checked out. */
  readonly ref: string | undefined;
  /** The folder of the repository that is taken; undefined for all of it. Relative, inside it. */
  readonly subdir: string | undefined;
  /** How the commit must begin, in lower-case hex. */
  readonly commit: string | undefined;
  /** Whether the folder `.git` stays; undefined where it is not said. */
  readonly keepsGitFolder: boolean | undefined;
  readonly hasSubmodules: boolean;
  /** The times of files: when they were checked out, or that of the commit. */
  readonly mtime: 'checkout' | 'commit';
  /** Whether the commit is asked for by its digest alone, without its ref. */
  readonly fetchesByCommit: boolean;
}

/** What is wrong with a reference to a repository. */
export interface GitProblem {
  readonly message: string;
  readonly expected?: string;
  readonly suggestion?: string;
}

const SCP_FORM = /^([A-Za-z0-9_][A-Za-z0-9_-]*)@([A-Za-z0-9][A-Za-z0-9.-]*):([^?#]*)(\?[^#]*)?(#.*)?$/;
const URL_FORM = /^(https?|ssh|git):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/i;

/**
 * Reads a reference to a git repository as docker has them: a URL (of http and https only one whose path ends in `.git`),
 * or `user@host:path`; then `#ref:subdir`, or `?ref=...&subdir=...`.
 * @param allowsBareGitHub whether `github.com/...` is one: as the context of a build, not in a Dockerfile
 * @returns undefined for what is no reference to a repository
 * @see https://docs.docker.com/build/concepts/context/#git-repositories
 */
export function parseGitReference(
  text: string,
  { allowsBareGitHub = false }: { readonly allowsBareGitHub?: boolean } = {},
): Result<GitReference, GitProblem> | undefined {
  const full = allowsBareGitHub && text.startsWith('github.com/') ? `https://${text}` : text;
  const parts = full === text ? splitUrl(text) : splitUrl(full, { needsSuffix: false });
  if (parts === undefined) return undefined;
  if (/[\u0000-\u0020\u007f]/.test(text))
    return err({ message: `the reference to ${parts.shown} holds a space or a control character` });
  const options = readOptions(parts.query, parts.fragment);
  if (!options.ok) return options;
  const { remote, credentials } = parts;
  if (remote === undefined)
    return err({ message: `${JSON.stringify(parts.shown)} is no address of a repository` });
  return ok({ remote, credentials, ...options.value });
}

interface UrlParts {
  /** undefined where the host or the path cannot be one. */
  readonly remote: string | undefined;
  readonly shown: string;
  readonly credentials: string | undefined;
  readonly query: string;
  readonly fragment: string | undefined;
}

function splitUrl(text: string, { needsSuffix = true } = {}): UrlParts | undefined {
  const scp = SCP_FORM.exec(text);
  if (scp !== null) {
    const [, user = '', host = '', path = '', query = '', fragment] = scp;
    const isSound = path !== '' && !path.startsWith('-');
    const shown = `${user}@${host}:${path}`;
    const remote = isSound ? shown : undefined;
    return { remote, shown, credentials: undefined, query, fragment: fragment?.slice(1) };
  }
  const [, scheme = '', authority = '', path = '', query = '', fragment] = URL_FORM.exec(text) ?? [];
  if (scheme === '') return undefined;
  const protocol = scheme.toLowerCase();
  const isHttp = protocol.startsWith('http');
  if (isHttp && needsSuffix && !path.endsWith('.git')) return undefined;
  const at = authority.lastIndexOf('@');
  const [user, host] = [authority.slice(0, Math.max(0, at)), authority.slice(at + 1)];
  const isSound =
    /^(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.test(host) &&
    path.length > 1 &&
    (isHttp || /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/.test(user));
  // The name of a user of ssh is no secret, and its server needs it.
  const name = isHttp || user === '' ? '' : `${user}@`;
  const shown = `${protocol}://${name}${host}${path}`;
  return {
    remote: isSound ? shown : undefined,
    shown: `${protocol}://${host}${path}`,
    credentials: isHttp && user !== '' ? decoded(user) : undefined,
    query,
    fragment: fragment?.slice(1),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const KEYS = [
  'ref',
  'branch',
  'tag',
  'subdir',
  'checksum',
  'commit',
  'keep-git-dir',
  'submodules',
  'mtime',
  'fetch-by-commit',
] as const;
type Key = (typeof KEYS)[number];

const SWITCHES: ReadonlySet<Key> = new Set(['keep-git-dir', 'submodules', 'fetch-by-commit']);

type Options = Omit<GitReference, 'remote' | 'credentials'>;

function readOptions(query: string, fragment: string | undefined): Result<Options, GitProblem> {
  const fields = readFields(query);
  if (!fields.ok) return fields;
  const given = fields.value;
  for (const rivals of [
    ['ref', 'branch', 'tag'],
    ['checksum', 'commit'],
  ] as const) {
    const [first, second] = rivals.filter((key) => given.has(key));
    if (first !== undefined && second !== undefined)
      return err({ message: `${second}= conflicts with ${first}= in the query`, expected: 'one of them' });
  }
  const colon = fragment?.indexOf(':') ?? -1;
  const fragmentRef = colon === -1 ? fragment : fragment?.slice(0, colon);
  const fragmentSubdir = colon === -1 ? undefined : fragment?.slice(colon + 1);
  const ref = agreed('ref', refOf(given), fragmentRef === '' ? undefined : fragmentRef);
  if (!ref.ok) return ref;
  const subdir = agreed('subdir', given.get('subdir'), fragmentSubdir);
  if (!subdir.ok) return subdir;
  return checkValues(given, ref.value, subdir.value);
}

function checkValues(
  given: ReadonlyMap<Key, string>,
  ref: string | undefined,
  subdir: string | undefined,
): Result<Options, GitProblem> {
  const problem = ref === undefined ? undefined : refProblem(ref);
  if (problem !== undefined) return err({ message: problem, expected: 'a branch, a tag or a commit' });
  const commit = (given.get('commit') ?? given.get('checksum'))?.toLowerCase();
  if (commit !== undefined && !isCommitPrefix(commit))
    return err({ message: `${JSON.stringify(commit)} is no commit`, expected: 'hex digits, up to 64' });
  const mtime = given.get('mtime') ?? 'checkout';
  if (mtime !== 'checkout' && mtime !== 'commit') return wrongValue('mtime', mtime, ['checkout', 'commit']);
  for (const key of SWITCHES) {
    const text = given.get(key);
    if (text !== undefined && readSwitch(text) === undefined) return wrongValue(key, text, ['true', 'false']);
  }
  const isOn = (key: Key): boolean | undefined => readSwitch(given.get(key));
  return ok({
    ref,
    subdir: cleanSubdir(subdir),
    commit,
    keepsGitFolder: isOn('keep-git-dir'),
    hasSubmodules: isOn('submodules') ?? true,
    mtime,
    fetchesByCommit: isOn('fetch-by-commit') ?? false,
  });
}

/** Whether a text can be the beginning of the name of a commit. */
export function isCommitPrefix(text: string): boolean {
  return /^[0-9a-f]{1,64}$/.test(text);
}

function readFields(query: string): Result<ReadonlyMap<Key, string>, GitProblem> {
  const fields = new Map<Key, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const key = KEYS.find((each) => each === name);
    if (key === undefined) {
      const near = suggest(name, KEYS);
      const message = `${JSON.stringify(name)} is not known in the query of a repository`;
      return err({ message, expected: KEYS.join(', '), ...(near === undefined ? {} : { suggestion: near }) });
    }
    if (fields.has(key))
      return err({ message: `${key} stands more than once in the query`, expected: 'once' });
    if (value === '' && !SWITCHES.has(key))
      return err({ message: `${key} has no value in the query`, expected: `${key}=VALUE` });
    fields.set(key, value);
  }
  return ok(fields);
}

function refOf(given: ReadonlyMap<Key, string>): string | undefined {
  const [branch, tag] = [given.get('branch'), given.get('tag')];
  if (branch !== undefined) return `refs/heads/${branch}`;
  return tag === undefined ? given.get('ref') : `refs/tags/${tag}`;
}

/** What query and fragment say of one thing: they may both say it, but not differently. */
function agreed(
  what: string,
  inQuery: string | undefined,
  inFragment: string | undefined,
): Result<string | undefined, GitProblem> {
  if (inQuery === undefined || inFragment === undefined || inQuery === inFragment)
    return ok(inQuery ?? inFragment);
  const message = `the query says ${what} ${JSON.stringify(inQuery)} and the fragment ${JSON.stringify(inFragment)}`;
  return err({ message, expected: 'one of them' });
}

function wrongValue(key: Key, text: string, allowed: readonly string[]): Result<never, GitProblem> {
  const near = suggest(text, allowed);
  return err({
    message: `${key}=${text} is not valid in the query of a repository`,
    expected: allowed.join(' or '),
    ...(near === undefined ? {} : { suggestion: near }),
  });
}

function readSwitch(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (/^(?:|1|t|true)$/i.test(text)) return true;
  return /^(?:0|f|false)$/i.test(text) ? false : undefined;
}

/** A folder inside the repository, whatever it looks like. */
function cleanSubdir(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const inside = posix.resolve('/', text).slice(1);
  return inside === '' ? undefined : inside;
}
