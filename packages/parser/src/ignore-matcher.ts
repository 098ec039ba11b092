import type { Diagnostic } from './diagnostic.ts';
import { errorAt } from './diagnostic.ts';
import { GlobExpression, type GlobPiece } from './glob-expression.ts';
import { readGlobElement } from './glob.ts';
import { err, ok, type Result } from './result.ts';
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
  /** Whether an exception may speak of something below a folder (`.` is all): then a hidden one must be looked into. */
  mayContainIncluded(folder: string): boolean;
  readonly source: SourceText;
  readonly diagnostics: readonly Diagnostic[];
}

interface CompiledRule extends IgnoreRule {
  readonly pattern: string;
  readonly expression: GlobExpression;
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
    const decision = decideOne(rules, path, slash === -1 ? undefined : decide(path.slice(0, slash)));
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
    mayContainIncluded: (folder) =>
      exceptions.some(({ pattern }) => folder === '.' || mayFitBelow(pattern, folder)),
    source,
    diagnostics,
  };
}

interface Decision {
  /** Which rules were found to fit the path or a folder above it. */
  readonly fits: readonly boolean[];
  readonly rule: CompiledRule | undefined;
}

/**
 * Goes through the rules for one path. As docker has it, a rule that would change nothing is not looked at, and so does
 * not count for what lies below: after `d`, `!d/keep` and `d*` the path `d/keep` is not ignored.
 */
function decideOne(rules: readonly CompiledRule[], path: string, parent: Decision | undefined): Decision {
  let rule: CompiledRule | undefined;
  const fits = rules.map((each, index) => {
    const isIgnored = rule !== undefined && !rule.isException;
    const isFit =
      parent?.fits[index] === true || (each.isException === isIgnored && each.expression.test(path));
    if (isFit) rule = each;
    return isFit;
  });
  return { fits, rule };
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
    const pattern = cleanPattern(body);
    const expression = body === '' ? err('an exception needs a pattern after "!"') : compilePattern(pattern);
    if (expression.ok) rules.push({ line, text, isException, pattern, expression: expression.value });
    else {
      diagnostics.push(
        errorAt(source.lineRange(line), 'invalid-pattern', expression.error, {
          expected: 'names with *, ?, [a-z] or **; "!" before a name takes files in again',
        }),
      );
    }
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

/** `**` and then a plain text: whatever ends in that text, so that `**abc` hides `xabc` too. */
const PLAIN_END = /^\*\*[^/*?[\\][^*?[\\]*$/;

/** Compiles a pattern: `**` stands for any number of folders, also none. */
function compilePattern(pattern: string): Result<GlobExpression, string> {
  const characters = [...pattern];
  const any: GlobPiece = { kind: 'run', holdsSlash: true };
  const folders: GlobPiece = PLAIN_END.test(pattern) ? any : { kind: 'folders' };
  const pieces: GlobPiece[] = [];
  for (let at = 0; at < characters.length;) {
    if (characters[at] === '*' && characters[at + 1] === '*') {
      at += characters[at + 2] === '/' ? 3 : 2;
      pieces.push(at >= characters.length ? any : folders);
      continue;
    }
    const element = readGlobElement(characters, at, { setsHoldSlash: true });
    if (!element.ok) return element;
    if (element.value.isBackwards === true) return err('a range of the pattern ends before it begins');
    pieces.push(element.value.piece);
    at = element.value.end;
  }
  return ok(new GlobExpression(pieces));
}

/** Whether a pattern may fit a path below a folder. */
function mayFitBelow(pattern: string, folder: string): boolean {
  const parts = pattern.split('/');
  const names = folder.split('/');
  for (const [index, name] of names.entries()) {
    const part = parts[index];
    if (part === undefined) return false;
    if (part.includes('**')) return true;
    const compiled = compilePattern(part);
    if (!compiled.ok || !compiled.value.test(name)) return false;
  }
  return parts.length > names.length;
}
