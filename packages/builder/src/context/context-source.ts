import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { withoutCredentials } from '../without-credentials.ts';
import { buildError } from '../failure.ts';
import type { GitReference } from '../git/git-reference.ts';
import { parseGitReference } from '../git/git-reference.ts';
import type { ContextPiece } from './given-context.ts';
import { nearestFile } from '../source/nearest-file.ts';

/** Where the files of a context come from. Paths are absolute. */
export type ContextSource =
  | { readonly kind: 'folder'; readonly path: string }
  /** A file, most often an archive. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stream'; readonly bytes: AsyncIterable<Uint8Array> }
  /** Files that lie nowhere. */
  | { readonly kind: 'given'; readonly pieces: AsyncIterable<ContextPiece> }
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'git'; readonly reference: GitReference };

/**
 * What a text names as a context: a folder, a file, the URL of an archive or of a Dockerfile, or a git repository.
 * @param cwd from where relative paths are seen
 * @param what the context, for messages: `the build context`
 * @throws BuildError `invalid-request`
 */
export function contextSource(
  text: string,
  cwd: string,
  { what, allowsBareGitHub }: { readonly what: string; readonly allowsBareGitHub: boolean },
): ContextSource {
  if (text === '') throw buildError('invalid-request', `${what} is empty`, { expected: EXPECTED });
  const path = resolve(cwd, text);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return { kind: 'folder', path };
  if (stat?.isFile() === true) return { kind: 'file', path };
  const git = parseGitReference(text, { allowsBareGitHub });
  if (git !== undefined) {
    if (git.ok) return { kind: 'git', reference: git.value };
    const { message, ...details } = git.error;
    throw buildError('invalid-request', `${what}: ${message}`, details);
  }
  const url = webUrl(text);
  if (url !== undefined) return { kind: 'url', url };
  if (/^file:\/\//i.test(text)) {
    const suggestion = URL.parse(text)?.pathname;
    throw buildError(
      'invalid-request',
      `${what} is a file: URL: folders and files are named by their paths`,
      {
        expected: EXPECTED,
        ...(suggestion === undefined ? {} : { suggestion }),
      },
    );
  }
  const message =
    stat === undefined
      ? `there is no folder ${/^https?:/i.test(text) ? withoutCredentials(text) : path}`
      : `${path} is neither a folder nor a file`;
  throw buildError('invalid-request', what === MAIN_CONTEXT ? message : `${what}: ${message}`, {
    expected: EXPECTED,
    ...(stat === undefined ? nearest(path) : {}),
  });
}

function nearest(path: string): { readonly suggestion?: string } {
  const near = nearestFile(path, 'folder');
  return near === undefined ? {} : { suggestion: near };
}

const EXPECTED = 'a folder, an archive, the URL of one, or a git repository';

/** What messages call the context that every build has. */
export const MAIN_CONTEXT = 'the build context';

/** The URL that a text is, if it is one of the web. */
export function webUrl(text: string): URL | undefined {
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  return url ?? undefined;
}
