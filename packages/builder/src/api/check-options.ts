import type * as z from 'zod/mini';
import { suggest } from '@caisson/parser';
import { optionError, type CaissonError } from './error.ts';
import { membersOf } from './option-kinds.ts';

/**
 * Checks options that a caller gave.
 * @param what they are called, for messages: `options`
 * @throws CaissonError `invalid-request` that names the first one that is wrong
 */
export function checkOptions<T>(schema: z.ZodMiniType<T>, value: unknown, what = 'options'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  // A member that is missing may be the one that is misspelt.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  throw issue === undefined ? optionError(`${what} is not known`) : errorOf(issue, value, { schema, what });
}

function errorOf(
  issue: z.core.$ZodIssue,
  value: unknown,
  { schema, what }: { readonly schema: z.ZodMiniType; readonly what: string },
): CaissonError {
  const at = `${what}${issue.path.map(member).join('')}`;
  const expected = issue.message;
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const known = issue.path.length === 0 ? membersOf(schema) : expected.split(', ');
    return optionError(`${at}${member(key)} is not known`, { expected, ...nearestMember(key, known) });
  }
  const found = valueAt(value, issue.path);
  const isSecret = issue.path.some((key) => key === 'secrets' || key === 'credentials');
  return optionError(`${at} is ${shown(found, isSecret)}`, {
    expected,
    ...(typeof found === 'string' && !isSecret ? nearest(found, quotedWords(expected)) : {}),
  });
}

/** What the command calls an option that has another name here. */
const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
  ['addHost', 'hosts'],
  ['file', 'dockerfile'],
  ['registryMirror', 'registry.mirrors'],
]);

/** The member that was meant: one of a member's, `limits.memory`, may be given without it. */
function nearestMember(key: string, known: readonly string[]): { readonly suggestion?: string } {
  const leaves = new Map(known.toReversed().map((each) => [each.slice(each.lastIndexOf('.') + 1), each]));
  const other = OTHER_WORDS.get(key) ?? leaves.get(suggest(key, leaves.keys()) ?? '');
  return other === undefined || !known.includes(other) ? {} : { suggestion: other };
}

function nearest(word: string, known: readonly string[]): { readonly suggestion?: string } {
  const suggestion = suggest(word, known);
  return suggestion === undefined ? {} : { suggestion };
}

/** The words that were expected, where nothing else was. */
function quotedWords(expected: string): string[] {
  const words = expected.split(', ');
  return words.every((word) => /^"[^"]*"$/.test(word)) ? words.map((word) => word.slice(1, -1)) : [];
}

function member(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`;
  const text = String(key);
  return /^[A-Za-z_$][\w$]*$/.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}

const LONGEST = 60;

/** A value for a message. Of what may be secret, only what it is. */
function shown(value: unknown, isSecret: boolean): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') {
    if (value === '') return 'empty';
    if (isSecret) return 'a text';
    return JSON.stringify(value.length > LONGEST ? `${value.slice(0, LONGEST)}...` : value);
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return isSecret ? `a ${typeof value}` : String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
