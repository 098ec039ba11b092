import type { Change, FileChange, FileField, MissReason } from '@caisson/builder';
import { printableLine } from './line-splitter.ts';

/** How many files a line names. */
const NAMED = 3;

/** Why a step runs, in one line: the first thing that differs, which the rest most often follows from. */
export function reasonText(reason: MissReason): string {
  switch (reason.kind) {
    case 'no-record':
      return 'no earlier record';
    case 'evicted':
      return 'evicted';
    case 'not-fetched':
      return 'it came from a shared cache before, and was not fetched';
    case 'lost':
      return 'its layer in the shared cache cannot be had';
    case 'no-cache':
      return 'asked for without the cache';
    case 'changed': {
      const { changes, context } = reason;
      const [first] = changes;
      const what = first === undefined ? 'something that is not known' : changeText(first, changes);
      return printableLine(context === undefined ? what : `${what} (compared with ${context})`);
    }
  }
}

function changeText(first: Change, all: readonly Change[]): string {
  switch (first.kind) {
    case 'files':
      return filesText(first.files);
    case 'variable': {
      const names = all.flatMap((each) => (each.kind === 'variable' ? [variableText(each)] : []));
      return named(names);
    }
    case 'field':
      return fieldText(first.field);
    case 'state':
      return stateText(first);
  }
}

function variableText({ name, isArg, before, after }: Extract<Change, { kind: 'variable' }>): string {
  const what = `${isArg ? 'ARG' : 'ENV'} ${name}`;
  if (before === undefined) return `${what}: new`;
  return after === undefined ? `${what}: gone` : what;
}

/** What made the files before a step others. */
export function stateText({ by }: Extract<Change, { kind: 'state' }>): string {
  if (by === undefined) return 'the files before it';
  return by.kind === 'base' ? 'base image moved' : `#${by.id} ${by.text} gave other files`;
}

/** Fields of key records that have other names for people. */
const FIELDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    args: 'command',
    cwd: 'working folder',
    env: 'environment',
    exclude: '--exclude',
    hosts: '--add-host',
    inline: 'text in the Dockerfile',
    link: '--link',
    mounts: 'mounts',
    op: 'operation',
    parents: '--parents',
    path: 'path',
    remote: 'files of URLs',
    git: 'git repository',
    selection: 'selected files',
    sourceDateEpoch: 'SOURCE_DATE_EPOCH',
    version: 'version of the operation',
  }),
);

/** What a field of a key record is called. */
export function fieldText(field: string): string {
  return FIELDS.get(field) ?? field;
}

function filesText(files: readonly FileChange[]): string {
  return named(files.map(fileText));
}

function named(texts: readonly string[]): string {
  const rest = texts.length - NAMED;
  return `${texts.slice(0, NAMED).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}

/** A file and what of it differs: `src/a.ts: content, mode 0664 -> 0644`. */
export function fileText({ path, change, fields }: FileChange): string {
  if (change === 'added') return `${path}: new`;
  if (change === 'removed') return `${path}: gone`;
  return `${path}: ${fields.map(fileFieldText).join(', ')}`;
}

function fileFieldText({ field, before, after }: FileField): string {
  if (before === undefined || after === undefined || field === 'xattrs' || field === 'parents') return field;
  return `${field} ${before} -> ${after}`;
}
