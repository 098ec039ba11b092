import { withoutCredentials } from '../without-credentials.ts';
import { errorAt, isFlagOn, suggest, type AddInstruction, type Word } from '@caisson/parser';
import { isCommitPrefix, parseGitReference, type GitReference } from '../git/git-reference.ts';
import type { Place, PlannedSource } from './planned.ts';
import type { StageDraft } from './stage-draft.ts';

/* Sources of ADD that lie on other machines: files of URLs, and git repositories. */

/** An ADD as its sources are planned. */
export interface AddContext {
  readonly draft: StageDraft;
  readonly instruction: AddInstruction;
  readonly place: Place;
  /** What `--checksum` says, expanded, and where. */
  readonly checksum: Word | undefined;
}

/** Whether a source of COPY or ADD is one of another machine. */
export function isRemoteSource(text: string): boolean {
  return /^https?:\/\//i.test(text) || parseGitReference(text) !== undefined;
}

/** Plans a source that {@link isRemoteSource}; what is wrong with it is reported. */
export function remoteSource(context: AddContext, word: Word, text: string): PlannedSource[] {
  const git = parseGitReference(text);
  if (git === undefined) return urlSource(context, word, text);
  if (git.ok) return gitSource(context, word, text, git.value);
  const { message, expected, suggestion } = git.error;
  context.draft.settings.report(
    errorAt(word.range, 'invalid-value', message, {
      ...(expected === undefined ? {} : { expected }),
      suggestion,
    }),
  );
  return [];
}

/** `--checksum` is for one source, and not for every kind. */
export function checkChecksum(
  { flags }: AddInstruction,
  sources: readonly PlannedSource[],
  report: StageDraft['settings']['report'],
): void {
  const remote = sources.filter(({ kind }) => kind === 'remote' || kind === 'git');
  const checksum = flags.find(({ name }) => name === 'checksum');
  // What is no source was told already.
  if (checksum !== undefined && sources.length > 0 && (remote.length !== 1 || sources.length !== 1)) {
    const message = '--checksum is for one source that is a URL or a git repository';
    report(
      errorAt(checksum.range, 'invalid-flag', message, { expected: 'ADD --checksum=... URL destination' }),
    );
  }
}

function gitSource(
  { draft, instruction: { flags }, place, checksum }: AddContext,
  word: Word,
  text: string,
  reference: GitReference,
): PlannedSource[] {
  const { report } = draft.settings;
  const flag = flags.find(({ name }) => name === 'keep-git-dir');
  const isKept = flag === undefined ? undefined : isFlagOn(flags, 'keep-git-dir');
  const { keepsGitFolder = isKept, commit = checksum?.text.toLowerCase() } = reference;
  if (isKept !== undefined && keepsGitFolder !== isKept) {
    report(conflict(word, 'keep-git-dir', String(isKept), String(keepsGitFolder)));
    return [];
  }
  if (commit !== undefined && !isCommitPrefix(commit)) {
    const message = `the checksum ${JSON.stringify(commit)} is no commit`;
    const { range } = reference.commit === undefined ? (checksum ?? word) : word;
    report(errorAt(range, 'invalid-value', message, { expected: 'hex digits, up to 64' }));
    return [];
  }
  if (checksum !== undefined && commit !== checksum.text.toLowerCase()) {
    report(conflict(word, 'checksum', checksum.text, commit ?? ''));
    return [];
  }
  return [
    {
      kind: 'git',
      text: withoutCredentials(text),
      reference: { ...reference, commit },
      keepsGitFolder: keepsGitFolder ?? false,
      place: { ...place, range: word.range },
    },
  ];
}

function conflict(word: Word, name: string, inFlag: string, inQuery: string): ReturnType<typeof errorAt> {
  const message = `--${name}=${inFlag} conflicts with ${name}=${inQuery} in the query`;
  return errorAt(word.range, 'invalid-value', message, { expected: 'one of them' });
}

function urlSource({ draft, place, checksum }: AddContext, word: Word, text: string): PlannedSource[] {
  const { report } = draft.settings;
  const url = URL.parse(text);
  if (url === null) {
    report(errorAt(word.range, 'invalid-value', `${JSON.stringify(withoutCredentials(text))} is no URL`));
    return [];
  }
  const name = decodeName(url.pathname.split('/').findLast((part) => part !== '') ?? '');
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum.text)) {
    const message = `the checksum ${JSON.stringify(checksum.text)} is no sha256`;
    const suggestion = nearestChecksum(checksum.text);
    report(
      errorAt(checksum.range, 'invalid-value', message, {
        expected: 'sha256: and 64 hex digits',
        suggestion,
      }),
    );
  }
  return [
    {
      kind: 'remote',
      url: url.href,
      name: name === '' ? '__unnamed__' : name,
      checksum: checksum?.text,
      place: { ...place, range: word.range },
    },
  ];
}

/** A checksum whose digits are right, as it was most likely meant. */
function nearestChecksum(text: string): string | undefined {
  const [, name = '', digits = ''] = /^(?:([^:]*):)?([0-9a-f]{64})$/i.exec(text) ?? [];
  const isMeant = digits !== '' && (name === '' || suggest(name, ['sha256']) !== undefined);
  return isMeant ? `sha256:${digits.toLowerCase()}` : undefined;
}

/** The last name of a URL, as a file may be called. */
function decodeName(text: string): string {
  try {
    const name = decodeURIComponent(text);
    return name.includes('/') || name.includes('\0') || name === '.' || name === '..' ? '' : name;
  } catch {
    return text;
  }
}
