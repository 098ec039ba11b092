import type { Diagnostic } from './diagnostic.ts';
import { errorAt } from './diagnostic.ts';
import { SourceText } from './source-text.ts';

/** A rule of an ignore file. */
export interface IgnoreRule {
  /** The line, from 1. */
  readonly line: number;
  /** As written. */
  readonly text: string;
  /** Whether it takes files in again. */
  readonly isException: boolean;
}

/** Says which files of a context an ignore file hides. */
export interface IgnoreMatcher {
  /** Whether a path (relative, with slashes) is hidden. */
  ignores(path: string): boolean;
  /** The rule that decides about a path; undefined where none speaks of it. */
  explain(path: string): IgnoreRule | undefined;
  /** Whether an exception may speak of something below a folder: then a hidden folder must be looked into. */
  mayContainIncluded(folder: string): boolean;
  readonly source: SourceText;
  readonly diagnostics: readonly Diagnostic[];
}

interface CompiledRule extends IgnoreRule {
  readonly pattern: string;
  readonly expression: RegExp;
}

/**
 * Reads an ignore file. The last rule that fits a path, or a folder above it, decides.
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function createIgnoreMatcher(text: string): IgnoreMatcher {
  const source = new SourceText(text);
  const { rules, diagnostics } = readRules(source);
  const exceptions = rules.filter((rule) => rule.isException);
  const decisions = new Map<string, Decision>();

  const decide = (path: string): Decision => {
    const known = decisions.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const parent = slash === -1 ? undefined : decide(path.slice(0, slash));
    const fits = rules.map((rule, index) => parent?.fits[index] === true || rule.expression.test(path));
    const decision = { fits, rule: rules.findLast((_, index) => fits[index] === true) };
    if (decisions.size > MAX_REMEMBERED) decisions.clear();
    decisions.set(path, decision);
    return decision;
  };

  return {
    ignores: (path) => {
      const { rule } = decide(path);
      return rule !== undefined && !rule.isException;
    },
    explain: (path) => decide(path).rule,
    mayContainIncluded: (folder) => exceptions.some(({ pattern }) => mayFitBelow(pattern, folder)),
    source,
    diagnostics,
  };
}

interface Decision {
  /** Which rules fit the path or a folder above it. */
  readonly fits: readonly boolean[];
  readonly rule: CompiledRule | undefined;
}

const MAX_REMEMBERED = 100_000;

function readRules(source: SourceText): { rules: CompiledRule[]; diagnostics: Diagnostic[] } {
  const rules: CompiledRule[] = [];
  const diagnostics: Diagnostic[] = [];
  for (let line = 1; line <= source.lineCount; line++) {
    const written = line === 1 ? source.line(line).replace(/^\uFEFF/, '') : source.line(line);
    if (written.startsWith('#')) continue;
    const text = written.trim();
    if (text === '') continue;
    const isException = text.startsWith('!');
    const body = isException ? text.slice(1).trim() : text;
    if (body === '') {
      diagnostics.push(
        errorAt(source.lineRange(line), 'invalid-value', 'an exception needs a pattern after "!"'),
      );
      continue;
    }
    const pattern = cleanPattern(body);
    const expression = compilePattern(pattern);
    if (expression === undefined) {
      diagnostics.push(
        errorAt(source.lineRange(line), 'invalid-value', `${JSON.stringify(body)} is not a pattern`),
      );
    } else rules.push({ line, text, isException, pattern, expression });
  }
  return { rules, diagnostics };
}

/** A pattern without `.`, `..`, double slashes and slashes at its ends. */
function cleanPattern(text: string): string {
  const out: string[] = [];
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (part !== '..' || !text.startsWith('/')) out.push(part);
  }
  return out.length === 0 ? '.' : out.join('/');
}

/** A pattern as a regular expression: `**` stands for any number of folders, also none. */
function compilePattern(pattern: string): RegExp | undefined {
  let source = '';
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '*' && characters[at + 1] === '*') {
      at++;
      if (characters[at + 1] === '/') at++;
      source += at + 1 >= characters.length ? '.*' : '(?:.*/)?';
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '\\') {
      at++;
      source += escapeLiteral(characters[at] ?? '\\');
    } else if (character === '[') {
      const end = characters.indexOf(']', at + 2);
      if (end === -1) return undefined;
      source += characters
        .slice(at, end + 1)
        .join('')
        .replaceAll('[', String.raw`\[`)
        .replace(String.raw`\[`, '[');
      at = end;
    } else source += escapeLiteral(character);
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return undefined;
  }
}

function escapeLiteral(character: string): string {
  return /[$()*+./?[\\\]^{|}-]/.test(character) ? `\\${character}` : character;
}

/** Whether a pattern may fit a path below a folder. */
function mayFitBelow(pattern: string, folder: string): boolean {
  const parts = pattern.split('/');
  const names = folder.split('/');
  for (const [index, name] of names.entries()) {
    const part = parts[index];
    if (part === undefined) return false;
    if (part.includes('**')) return true;
    if (compilePattern(part)?.test(name) !== true) return false;
  }
  return parts.length > names.length;
}
