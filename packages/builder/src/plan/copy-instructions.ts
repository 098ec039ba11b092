import { posix } from 'node:path';
import {
  createIgnoreMatcher,
  errorAt,
  expansionError,
  expandWord,
  flagValue,
  heredocText,
  isFlagOn,
  type AddInstruction,
  type CopyInstruction,
  type CopySource,
  type Flag,
  type Heredoc,
} from '@caisson/parser';
import { parseFileMode, type FileMode } from '../copy/file-mode.ts';
import type { CopyOrigin, Place, PlannedSource } from './planned.ts';
import { checkChecksum, isRemoteSource, remoteSource } from './remote-sources.ts';
import { withoutCredentials } from '../without-credentials.ts';
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
  const sources = instruction.sources.flatMap((source) => sourceOf(draft, instruction, place, source));
  if (instruction.kind === 'add') checkChecksum(instruction, sources, draft.settings.report);
  const destination = draft.expand(instruction.destination);
  if (destination === undefined) return;
  const chown = expandFlag(draft, instruction.flags, 'chown');
  const chmod = expandFlag(draft, instruction.flags, 'chmod');
  const { paths, names } = historySources(sources);
  const flags = [
    (chown ?? '') === '' ? '' : ` --chown=${chown}`,
    (chmod ?? '') === '' ? '' : ` --chmod=${chmod}`,
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

/** A pattern of `--exclude`, in which nothing is expanded. One that begins with a slash fits nothing, as with docker. */
function excludeOf(draft: StageDraft, { name, value, valueRange }: Flag): string[] {
  if (name !== 'exclude' || value === undefined) return [];
  // In an ignore file it would be a comment.
  const pattern = value.startsWith('#') ? `\\${value}` : value;
  const [problem] = createIgnoreMatcher(pattern).diagnostics;
  if (problem !== undefined) draft.settings.report({ ...problem, range: valueRange });
  return /^!?\//.test(value) ? [] : [pattern];
}

function historySources(sources: readonly PlannedSource[]): { paths: string; names: string } {
  const paths = sources.flatMap((source) =>
    source.kind === 'inline'
      ? []
      : [` ${source.kind === 'remote' ? withoutCredentials(source.url) : source.text}`],
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
  if (isRemoteSource(text)) {
    if (instruction.kind === 'add') {
      const sum = expandFlag(draft, instruction.flags, 'checksum');
      const range = instruction.flags.find(({ name }) => name === 'checksum')?.valueRange ?? place.range;
      const checksum = sum === undefined ? undefined : { text: sum, range };
      return remoteSource({ draft, instruction, place, checksum }, source.word, text);
    }
    const message = 'COPY takes no URL and no git repository';
    draft.settings.report(
      errorAt(source.word.range, 'invalid-value', message, { expected: 'ADD, which does' }),
    );
    return [];
  }
  return [{ kind: 'path', text, place: { ...place, range: source.word.range } }];
}

function inlineSource(draft: StageDraft, heredoc: Heredoc): PlannedSource[] {
  const text = heredocText(heredoc);
  if (!heredoc.isExpanded) return [{ kind: 'inline', name: heredoc.name, bytes: Buffer.from(text, 'utf8') }];
  // The body of a heredoc has the escapes of a shell, whatever the escape character of the file.
  const expanded = expandWord(text, draft.env, { keepsQuotes: true });
  if (expanded.ok)
    return [{ kind: 'inline', name: heredoc.name, bytes: Buffer.from(expanded.value, 'utf8') }];
  draft.settings.report(expansionError(heredoc.range, expanded.error));
  return [];
}

function expandFlag(draft: StageDraft, flags: readonly Flag[], name: string): string | undefined {
  const flag = flags.find((each) => each.name === name);
  if (flag?.value === undefined) return undefined;
  return draft.expand({ text: flag.value, range: flag.valueRange });
}

function modeOf(draft: StageDraft, flags: readonly Flag[], chmod: string | undefined): FileMode | undefined {
  const flag = flags.find((each) => each.name === 'chmod');
  if (chmod === undefined || chmod === '' || flag === undefined) return undefined;
  const mode = parseFileMode(chmod);
  if (mode !== undefined) return mode;
  draft.settings.report(
    errorAt(flag.valueRange, 'invalid-value', `${JSON.stringify(chmod)} is no mode`, {
      expected: 'an octal string and between 0 and 07777, or a change as chmod(1) takes it: u+x,go-w',
    }),
  );
  return undefined;
}

/** The value of `--from`; an empty one means the context, as with docker. */
export function fromOf(
  instruction: CopyInstruction | AddInstruction,
): { readonly text: string; readonly flag: Flag } | undefined {
  const flag = instruction.flags.find((each) => each.name === 'from');
  const text = flagValue(instruction.flags, 'from');
  return flag === undefined || text === undefined || text === '' ? undefined : { text, flag };
}
