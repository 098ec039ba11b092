import { posix } from 'node:path';
import {
  errorAt,
  expandWord,
  flagValue,
  heredocText,
  isFlagOn,
  type AddInstruction,
  type CopyInstruction,
  type CopySource,
  type Flag,
  type Heredoc,
  type Word,
} from '@caisson/parser';
import { parseFileMode, type FileMode } from '../copy/file-mode.ts';
import { notSupported, refuseFlags } from './not-supported.ts';
import type { CopyOrigin, Place, PlannedSource } from './planned.ts';
import type { StageDraft } from './stage-draft.ts';
import { stepText } from './step-text.ts';

/** `COPY` and `ADD`: files from the context, or from what `--from` names. */
export function applyCopy(
  draft: StageDraft,
  instruction: CopyInstruction | AddInstruction,
  place: Place,
  from: CopyOrigin,
): void {
  const keyword = instruction.kind === 'copy' ? 'COPY' : 'ADD';
  refuseFlags(draft, keyword, instruction.flags, ['keep-git-dir']);
  const sources = instruction.sources.flatMap((source) => sourceOf(draft, instruction, place, source));
  const destination = draft.expand(instruction.destination);
  if (destination === undefined) return;
  const chown = expandFlag(draft, instruction.flags, 'chown');
  const chmod = expandFlag(draft, instruction.flags, 'chmod');
  const { paths, names } = historySources(sources);
  const flags = [
    chown === undefined ? '' : ` --chown=${chown}`,
    chmod === undefined ? '' : ` --chmod=${chmod}`,
  ].join('');
  draft.addStep(
    {
      kind: instruction.kind,
      text: stepText(instruction),
      place,
      sources,
      from,
      destination: copyDestination(draft.workdir, destination),
      chown,
      chmod: modeOf(draft, instruction.flags, chmod),
      excludes: instruction.flags.flatMap((flag) => excludeOf(draft, flag)),
      isUnpacked: instruction.kind === 'add' ? unpackingOf(instruction.flags) : false,
      hasParents: isFlagOn(instruction.flags, 'parents'),
      // As with docker, a mode takes the link away.
      isLinked: isFlagOn(instruction.flags, 'link') && chmod === undefined,
    },
    `${keyword}${flags}${paths}${names} ${destination} # buildkit`,
  );
}

/** What `--unpack` says; undefined where it says nothing. */
function unpackingOf(flags: readonly Flag[]): boolean | undefined {
  return flags.some(({ name }) => name === 'unpack') ? isFlagOn(flags, 'unpack') : undefined;
}

function excludeOf(draft: StageDraft, { name, value, range }: Flag): string[] {
  if (name !== 'exclude' || value === undefined) return [];
  const expanded = draft.expand({ text: value, range });
  return expanded === undefined ? [] : [expanded];
}

function historySources(sources: readonly PlannedSource[]): { paths: string; names: string } {
  const paths = sources.flatMap((source) =>
    source.kind === 'path' ? [` ${source.text}`] : source.kind === 'remote' ? [` ${source.url}`] : [],
  );
  const names = sources.flatMap((source) => (source.kind === 'inline' ? [` <<${source.name}`] : []));
  return { paths: paths.join(''), names: names.join('') };
}

/** Where COPY writes: seen from the working folder; a slash at the end says that it must be a folder. */
function copyDestination(workdir: string, text: string): string {
  const isFolder = text === '' || text === '.' || text.endsWith('/') || text.endsWith('/.');
  const path = posix.resolve('/', workdir, text);
  return isFolder && path !== '/' ? `${path}/` : path;
}

function sourceOf(
  draft: StageDraft,
  instruction: CopyInstruction | AddInstruction,
  place: Place,
  source: CopySource,
): PlannedSource[] {
  if (source.kind === 'heredoc') return inlineSource(draft, source.heredoc);
  const text = draft.expand(source.word);
  if (text === undefined) return [];
  if (instruction.kind === 'add' && isRemote(text))
    return remoteSource(draft, instruction, place, source.word, text);
  if (instruction.kind === 'copy' && isRemote(text)) {
    draft.settings.report(
      errorAt(source.word.range, 'invalid-value', 'COPY takes no URL', { expected: 'ADD, which does' }),
    );
    return [];
  }
  return [{ kind: 'path', text, place: { ...place, range: source.word.range } }];
}

function remoteSource(
  draft: StageDraft,
  { flags, destination }: AddInstruction,
  place: Place,
  word: Word,
  text: string,
): PlannedSource[] {
  const url = /^https?:/i.test(text) ? URL.parse(text) : null;
  if (url === null || /\.git(?:#|$)/.test(text)) {
    draft.settings.report(notSupported(word, 'ADD of a git repository'));
    return [];
  }
  const name = decodeName(url.pathname.split('/').at(-1) ?? '');
  if (name === '' && destination.text.endsWith('/')) {
    const message = `cannot determine filename for source URL: ${text}`;
    draft.settings.report(
      errorAt(word.range, 'invalid-value', message, { expected: 'a destination without a slash at its end' }),
    );
    return [];
  }
  const checksum = expandFlag(draft, flags, 'checksum');
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum)) {
    const message = `the checksum ${JSON.stringify(checksum)} is no sha256`;
    draft.settings.report(
      errorAt(word.range, 'invalid-value', message, { expected: 'sha256: and 64 hex digits' }),
    );
  }
  return [
    {
      kind: 'remote',
      url: url.href,
      name: name === '' ? '__unnamed__' : name,
      checksum,
      place: { ...place, range: word.range },
    },
  ];
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

function inlineSource(draft: StageDraft, heredoc: Heredoc): PlannedSource[] {
  const text = heredocText(heredoc);
  if (!heredoc.isExpanded) return [{ kind: 'inline', name: heredoc.name, bytes: Buffer.from(text, 'utf8') }];
  // The body of a heredoc has the escapes of a shell, whatever the escape character of the file.
  const expanded = expandWord(text, draft.env, { keepsQuotes: true });
  if (expanded.ok)
    return [{ kind: 'inline', name: heredoc.name, bytes: Buffer.from(expanded.value, 'utf8') }];
  draft.settings.report(errorAt(heredoc.range, 'invalid-expansion', expanded.error.message));
  return [];
}

function isRemote(text: string): boolean {
  return /^(?:https?|git|ssh):\/\/|^git@[^:]+:/i.test(text);
}

function expandFlag(draft: StageDraft, flags: readonly Flag[], name: string): string | undefined {
  const flag = flags.find((each) => each.name === name);
  if (flag?.value === undefined) return undefined;
  return draft.expand({ text: flag.value, range: flag.range });
}

function modeOf(draft: StageDraft, flags: readonly Flag[], chmod: string | undefined): FileMode | undefined {
  const flag = flags.find((each) => each.name === 'chmod');
  if (chmod === undefined || flag === undefined) return undefined;
  const mode = parseFileMode(chmod);
  if (mode !== undefined) return mode;
  draft.settings.report(
    errorAt(flag.range, 'invalid-value', `${JSON.stringify(chmod)} is no mode`, {
      expected: 'an octal string and between 0 and 07777, or a change as chmod(1) takes it: u+x,go-w',
    }),
  );
  return undefined;
}

/** The value of `--from`. */
export function fromOf(
  instruction: CopyInstruction | AddInstruction,
): { readonly text: string; readonly flag: Flag } | undefined {
  const flag = instruction.flags.find((each) => each.name === 'from');
  const text = flagValue(instruction.flags, 'from');
  return flag === undefined || text === undefined ? undefined : { text, flag };
}
