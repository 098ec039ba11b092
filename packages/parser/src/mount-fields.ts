import { err, ok, type Result } from './result.ts';
import { suggest } from './suggest.ts';
import type { Span } from './words.ts';

/* The options of a mount, as `--mount` has them between commas. */

/** What is wrong with a mount. */
export interface MountProblem {
  readonly message: string;
  readonly expected?: string;
  readonly suggestion?: string;
  /** The option that is wrong, in the text; undefined where it is the whole of it. */
  readonly span?: Span;
}

/** An option as it is written, without the quotes around it. */
export interface WrittenField {
  readonly text: string;
  readonly span: Span;
}

/** An option that was read. */
export interface Field {
  /** In its long form. */
  readonly key: string;
  readonly value: string;
  readonly span: Span;
}

/** Short names of options, and others. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    dst: 'target',
    destination: 'target',
    src: 'source',
    ro: 'readonly',
    rw: 'readwrite',
  }),
);
/** Options that are on where they stand without a value. */
const SWITCHES: ReadonlySet<string> = new Set(['readonly', 'readwrite', 'required']);

/**
 * Where an option of a mount stands in the value of `--mount`; undefined where it does not.
 * @param name in its long form: `target`, not `dst`
 */
export function findMountOption(text: string, name: string): Span | undefined {
  const split = splitFields(text);
  return split.ok
    ? split.value.findLast(({ text: field }) => splitField(field).key === name)?.span
    : undefined;
}

/** Fields between commas; one that stands in double quotes may hold some, and a quote as two. */
export function splitFields(text: string): Result<WrittenField[], MountProblem> {
  const fields: WrittenField[] = [];
  for (const { 0: whole, 1: quoted, 2: plain = '', 3: end = '', index } of text.matchAll(FIELD)) {
    const span = { start: index, end: index + whole.length - end.length };
    if (quoted === undefined && plain.includes('"')) {
      const message = `a quote in the middle of the mount option ${JSON.stringify(plain)}`;
      return err({ message, expected: 'the whole option in quotes: "target=/a,b"', span });
    }
    const field = quoted?.replaceAll('""', '"') ?? plain;
    if (field === '') {
      const comma = end === '' ? index - 1 : index;
      const message = 'a mount option is empty';
      return err({ message, expected: 'key=value', span: { start: comma, end: comma + 1 } });
    }
    fields.push({ text: field, span });
    if (end === '') break;
  }
  return ok(fields);
}

/** One field, and the comma or the end behind it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/gy;

function splitField(text: string): { readonly key: string; readonly value: string | undefined } {
  const equals = text.indexOf('=');
  const written = (equals === -1 ? text : text.slice(0, equals)).toLowerCase();
  return {
    key: OTHER_NAMES.get(written) ?? written,
    value: equals === -1 ? undefined : text.slice(equals + 1),
  };
}

export function readField(
  { text, span }: WrittenField,
  expand: (value: string) => Result<string, MountProblem>,
): Result<Field, MountProblem> {
  const { key, value } = splitField(text);
  if (value === undefined) {
    if (SWITCHES.has(key)) return ok({ key, value: 'true', span });
    const message = `the mount option ${JSON.stringify(text)} has no value`;
    return err({ message, expected: 'key=value', ...nearest(key, SWITCHES) });
  }
  if (key !== 'from') {
    const expanded = expand(value);
    return expanded.ok ? ok({ key, value: expanded.value, span }) : expanded;
  }
  if (!/\$./.test(value)) return ok({ key, value, span });
  return err({
    message: "'from' doesn't support variable expansion, define alias stage instead",
    expected: `the name of a stage: FROM ${value} AS name`,
  });
}

/** The word that was most likely meant. */
export function nearest(word: string, known: Iterable<string>): Pick<MountProblem, 'suggestion'> {
  const near = suggest(word, known);
  return near === undefined ? {} : { suggestion: near };
}
