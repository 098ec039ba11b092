import type { Diagnostic } from '../diagnostic.ts';
import type { Range } from '../source-text.ts';
import { suggest } from '../suggest.ts';
import { isRuleName, RULE_NAMES, type RuleName } from './rule-name.ts';

/** What `check=` says: which rules count, and whether what they find fails a build. */
export interface CheckSettings {
  /** The rules that are skipped; `all` does not mean the experimental ones, which nothing skips. */
  readonly skip: RuleChoice;
  /** The experimental rules that are on. */
  readonly experimental: RuleChoice;
  readonly isError: boolean;
}

/** Some rules, or all of them. */
export type RuleChoice = 'all' | ReadonlySet<RuleName>;

/** Something that is wrong with a text of settings. */
export interface SettingsProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly expected?: string;
  readonly suggestion?: string;
  /** Where in the text. */
  readonly start: number;
  readonly end: number;
}

/** No directive: no rule is skipped, no experimental one is on. */
export const DEFAULT_SETTINGS: CheckSettings = {
  skip: new Set(),
  experimental: new Set(),
  isError: false,
};

const KEYS = ['skip', 'experimental', 'error'] as const;
type Key = (typeof KEYS)[number];
const MAX_PARTS = 3;
const FORM = 'skip=RULE,RULE or skip=all; error=true or error=false; experimental=RULE or experimental=all';
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/**
 * Reads the settings of the lint: `skip=A,B;error=true`, from the directive `check`, from the comment above an
 * instruction, or from the build arg BUILDKIT_DOCKERFILE_CHECK. They end at the first blank, as with docker.
 * @param keys what may be said: not all in the comment above an instruction
 * @see https://docs.docker.com/reference/dockerfile/#check
 */
export function readCheckSettings(
  text: string,
  keys: readonly Key[] = KEYS,
): { readonly settings: CheckSettings; readonly problems: readonly SettingsProblem[] } {
  const problems: SettingsProblem[] = [];
  const found: { -readonly [Name in keyof CheckSettings]: CheckSettings[Name] } = { ...DEFAULT_SETTINGS };
  const parts = partsOf(/^\S*/.exec(text)?.[0] ?? '', ';');
  const surplus = parts[MAX_PARTS];
  if (surplus !== undefined) {
    const message = `there are at most ${MAX_PARTS} parts: one for each of ${KEYS.join(', ')}`;
    problems.push({ severity: 'error', message, start: surplus.start, end: text.length });
  }
  if (text !== '') for (const part of parts.slice(0, MAX_PARTS)) readPart(part);
  return { settings: found, problems };

  function readPart({ text: written, start }: TextPart): void {
    const equals = written.indexOf('=');
    const name = equals === -1 ? written : written.slice(0, equals);
    const key = keys.find((each) => each === name);
    if (key === undefined || equals === -1) {
      problems.push(badKey(name, start, keys));
      return;
    }
    const value = { text: written.slice(equals + 1), start: start + equals + 1 };
    if (key === 'error') {
      const isError = BOOLEANS.get(value.text);
      if (isError === undefined) problems.push(badBoolean(value));
      else found.isError = isError;
    } else found[key] = readRules(value, problems);
  }
}

interface TextPart {
  readonly text: string;
  readonly start: number;
}

function partsOf(text: string, separator: string): TextPart[] {
  let start = 0;
  return text.split(separator).map((part) => {
    const at = start;
    start += part.length + 1;
    return { text: part, start: at };
  });
}

function badKey(name: string, start: number, keys: readonly Key[]): SettingsProblem {
  const isKnown = KEYS.some((each) => each === name);
  const near = isKnown ? undefined : suggest(name, keys);
  const isMisplaced = isKnown && !keys.some((each) => each === name);
  return {
    severity: 'error',
    message: isMisplaced
      ? `${name} may be said at the top of the file only`
      : `invalid check option ${JSON.stringify(name)}`,
    expected: keys.length === KEYS.length ? FORM : 'skip=RULE,RULE or skip=all',
    ...(near === undefined ? {} : { suggestion: `${near}=` }),
    start,
    end: start + name.length,
  };
}

function badBoolean({ text, start }: TextPart): SettingsProblem {
  return {
    severity: 'error',
    message: `error is on or off, not ${JSON.stringify(text)}`,
    expected: 'error=true or error=false',
    start,
    end: start + text.length,
  };
}

/** A list of rules. One that is not known skips nothing; docker says nothing of it. */
function readRules({ text, start }: TextPart, problems: SettingsProblem[]): RuleChoice {
  if (text === 'all') return 'all';
  const rules = new Set<RuleName>();
  if (text === '') return rules;
  for (const part of partsOf(text, ',')) {
    if (isRuleName(part.text)) rules.add(part.text);
    else {
      const near = suggest(part.text, RULE_NAMES);
      const from = start + part.start;
      problems.push({
        severity: 'warning',
        message:
          part.text === ''
            ? 'the name of a rule is missing'
            : `there is no rule ${JSON.stringify(part.text)}`,
        ...expectedOf(part.text),
        ...(near === undefined ? {} : { suggestion: near }),
        start: from,
        end: from + part.text.length,
      });
    }
  }
  return rules;
}

function expectedOf(name: string): { readonly expected?: string } {
  if (name === '') return { expected: 'rules with a comma between them, and no blank' };
  return name.toLowerCase() === 'all'
    ? { expected: 'all, in lower case and alone, or a list of rules' }
    : { expected: 'rules of docs/rules with a comma between them, or all' };
}

/** What is wrong with settings, at its place in a Dockerfile. */
export function diagnosticOf(
  { start: _start, end: _end, ...problem }: SettingsProblem,
  range: Range,
): Diagnostic {
  return { ...problem, code: 'invalid-directive', range };
}
