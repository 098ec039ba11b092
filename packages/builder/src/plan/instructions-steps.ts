import { posix } from 'node:path';
import {
  errorAt,
  expandWord,
  flagValue,
  heredocText,
  isFlagOn,
  isHeredocWord,
  type AddInstruction,
  type CopyInstruction,
  type CopySource,
  type Flag,
  type Heredoc,
  type RunInstruction,
  type WorkdirInstruction,
  type Word,
} from '@caisson/parser';
import { parseFileMode, type FileMode } from '../copy/file-mode.ts';
import { resolveWorkdir } from './instructions-metadata.ts';
import type { CopyOrigin, Place, PlannedMount, PlannedRun, PlannedSource } from './planned.ts';
import { proxyEnv } from './predefined-args.ts';
import type { StageDraft } from './stage-draft.ts';

/* Instructions that change files: each becomes a step. */

/** `RUN`: a command, in the environment, folder and name of whom the stage has come to. */
export function applyRun(
  draft: StageDraft,
  instruction: RunInstruction,
  place: Place,
  mounts: readonly PlannedMount[],
): void {
  refuseFlags(draft, 'RUN', instruction.flags, ['security', 'device']);
  const { args, script } = commandOf(draft, instruction);
  draft.addStep(
    {
      kind: 'run',
      text: stepText(instruction),
      place,
      args,
      env: draft.runEnv,
      unkeyedEnv: proxyEnv(draft.settings.buildArgs),
      cwd: draft.workdir,
      user: draft.config.User ?? '',
      network: networkOf(draft, instruction),
      mounts,
      script,
    },
    `RUN ${draft.historyArgs}${args.join(' ')} # buildkit`,
  );
}

function commandOf(
  draft: StageDraft,
  { command, heredocs }: RunInstruction,
): Pick<PlannedRun, 'args' | 'script'> {
  if (command.form === 'exec') return { args: command.args, script: undefined };
  const [first] = heredocs;
  if (first === undefined) return { args: [...draft.shell, command.text], script: undefined };
  if (heredocs.length > 1 || !isHeredocWord(command.text)) {
    // The shell knows heredocs itself: it gets the text back as it was.
    const bodies = heredocs.map(({ body, name }) => `\n${body}${name}`).join('');
    return { args: [...draft.shell, command.text + bodies], script: undefined };
  }
  const text = heredocText(first);
  if (!text.startsWith('#!')) return { args: [...draft.shell, text], script: undefined };
  return {
    args: [`/dev/pipes/${first.name}`],
    script: { name: first.name, bytes: Buffer.from(text, 'utf8') },
  };
}

function networkOf(draft: StageDraft, { flags }: RunInstruction): 'host' | 'none' {
  const flag = flags.find((each) => each.name === 'network');
  if (flag?.value === undefined || flag.value === 'default') return draft.settings.network;
  if (flag.value === 'none' || flag.value === 'host') return flag.value;
  const message = `${JSON.stringify(flag.value)} is no network`;
  draft.settings.report(errorAt(flag.range, 'invalid-value', message, { expected: 'default, none or host' }));
  return 'none';
}

/** `WORKDIR`: the folder is made where it is missing; the root is always there. */
export function applyWorkdir(draft: StageDraft, instruction: WorkdirInstruction, place: Place): void {
  const expanded = draft.expand(instruction.value);
  if (expanded === undefined) return;
  const path = resolveWorkdir(draft.workdir, expanded);
  draft.config.WorkingDir = path;
  const createdBy = `WORKDIR ${path}`;
  if (path === '/') draft.note(createdBy);
  else
    draft.addStep(
      { kind: 'workdir', text: stepText(instruction), place, path, user: draft.config.User ?? '' },
      createdBy,
    );
}

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
  if (mode.ok) return mode.value;
  draft.settings.report(
    errorAt(flag.range, 'invalid-value', `${JSON.stringify(chmod)} is no mode`, {
      expected: 'an octal string and between 0 and 07777, or a change as chmod(1) takes it: u+x,go-w',
    }),
  );
  return undefined;
}

/** What the language has and Caisson does not have yet is an error that names it, never passed over. */
function refuseFlags(
  draft: StageDraft,
  keyword: string,
  flags: readonly Flag[],
  names: readonly string[],
): void {
  for (const flag of flags) {
    if (!names.includes(flag.name)) continue;
    if (flag.name === 'security' && flag.value === 'sandbox') continue;
    draft.settings.report(notSupported({ text: '', range: flag.range }, `${keyword} --${flag.name}`));
  }
}

export function notSupported({ range }: Word, what: string): ReturnType<typeof errorAt> {
  return errorAt(range, 'not-supported', `${what} is not supported yet`);
}

/** What people see of a step: its instruction in one line. */
function stepText({
  text,
  kind,
  ...rest
}: {
  readonly text: string;
  readonly kind: string;
  readonly heredocs?: readonly Heredoc[];
}): string {
  const [first] = rest.heredocs ?? [];
  const line = kind === 'run' && first !== undefined ? `${text} (${summary(heredocText(first))})` : text;
  return line.replace(/\s+/g, ' ');
}

function summary(text: string): string {
  const lines = text.trim().split('\n');
  return lines.length > 1 ? `${lines[0] ?? ''}...` : (lines[0] ?? '');
}

/** The value of `--from`. */
export function fromOf(
  instruction: CopyInstruction | AddInstruction,
): { readonly text: string; readonly flag: Flag } | undefined {
  const flag = instruction.flags.find((each) => each.name === 'from');
  const text = flagValue(instruction.flags, 'from');
  return flag === undefined || text === undefined ? undefined : { text, flag };
}
