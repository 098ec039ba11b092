import type { EscapeCharacter } from './directives.ts';
import { lookUpIn, type Environment, type LookUp } from './environment.ts';
import { err, ok, type Result } from './result.ts';
import {
  parseShellPattern,
  replaceMatches,
  withoutPrefix,
  withoutSuffix,
  type ShellPattern,
} from './shell-pattern.ts';

/** How to expand. */
export interface ExpandOptions {
  /** `\` unless the file says otherwise. */
  readonly escape?: EscapeCharacter;
  /** What is built for: `windows/amd64`. For Windows, names of variables have no case. */
  readonly platform?: string;
  /** Keep quotes as they are: for the body of a heredoc, which is no shell word. */
  readonly keepsQuotes?: boolean;
}

/** Why a word cannot be expanded. */
export interface ExpandFailure {
  /** One sentence. */
  readonly message: string;
  /** What would have been right. */
  readonly expected?: string;
}

/**
 * Replaces the variables in a word and takes quotes and escapes away. A variable that is not set is empty.
 * @param env the values of variables
 * @returns the word, or why it cannot be expanded: `${}` that is not closed, an unknown operator, `${NAME:?message}`
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function expandWord(
  text: string,
  env: Environment,
  options: ExpandOptions = {},
): Result<string, ExpandFailure> {
  return attempt(() => new Expander(text, env, options).whole(), text);
}

/** As {@link expandWord}, and splits what unquoted blanks divide, those of values included. Empty words are dropped. */
export function expandWords(
  text: string,
  env: Environment,
  options: ExpandOptions = {},
): Result<string[], ExpandFailure> {
  return attempt(() => new Expander(text, env, options).words(), text);
}

class Failure extends Error {
  readonly expected: string | undefined;

  constructor(message: string, expected?: string) {
    super(message);
    this.expected = expected;
  }
}

const OPERATORS = ':- - :+ + :? ? # ## % %% / or //';
const LITERAL_QUOTE = 'one more quote, or an escape character before one that is meant as it is';

function attempt<T>(work: () => T, text: string): Result<T, ExpandFailure> {
  try {
    return ok(work());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const shown = text.length > 100 ? `${text.slice(0, 100)}...` : text;
    const message = `${error.message} in ${JSON.stringify(shown)}`;
    return err(error.expected === undefined ? { message } : { message, expected: error.expected });
  }
}

const NAME_START = /[\p{L}_]/u;
const NAME_PART = /[\p{L}\p{Nd}_]/u;
const DIGIT = /\p{Nd}/u;
const SPECIAL = new Set(['@', '*', '#', '?', '-', '$', '!', '0']);

/** How deep `${a:-${b:-...}}` may go: a Dockerfile must not end the process. */
const MAX_DEPTH = 200;

/**
 * How long a value may become: as long as a Dockerfile, which the text of a heredoc may fill. A few lines
 * `ENV a=$a$a$a$a` must not fill the memory.
 */
const MAX_LENGTH = 16 << 20;

/** No quote, escape character, variable, or end of what is looked for. */
const PLAIN = /[^$'"\\`}/]+/y;

class Expander {
  readonly #text: string;
  readonly #env: LookUp;
  readonly #escape: string;
  readonly #keepsQuotes: boolean;
  #at = 0;
  #depth = 0;

  constructor(text: string, env: Environment, options: ExpandOptions) {
    this.#text = text;
    this.#env = lookUpIn(env, options.platform ?? '');
    this.#escape = options.escape ?? '\\';
    this.#keepsQuotes = options.keepsQuotes ?? false;
  }

  /** The whole text as one word. */
  whole(): string {
    return this.#until(undefined, false);
  }

  /** The words of the text. */
  words(): string[] {
    const words: string[] = [];
    let word = '';
    const end = (): void => {
      if (word !== '') words.push(word);
      word = '';
    };
    while (this.#at < this.#text.length) {
      const character = this.#peek();
      if (/\s/.test(character)) {
        this.#at++;
        end();
      } else if (character === '$') {
        for (const piece of this.#dollar()) {
          if (/\s/.test(piece)) end();
          else word += piece;
        }
      } else word += this.#piece(false);
    }
    end();
    return words;
  }

  /** The next character, which may be two units long; nothing at the end. */
  #peek(): string {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  #next(): string {
    const character = this.#peek();
    this.#at += character.length;
    return character;
  }

  /** What follows up to the next character that may mean something: most of a long text. */
  #plain(): string {
    PLAIN.lastIndex = this.#at;
    const run = PLAIN.exec(this.#text)?.[0] ?? '';
    this.#at += run.length;
    return run;
  }

  /**
   * Expands up to a character, which is taken too.
   * @param keepsEscapes for patterns, which have escapes of their own
   */
  #until(stop: string | undefined, keepsEscapes: boolean): string {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) throw new Failure('variables are nested too deeply');
    let out = '';
    while (this.#at < this.#text.length) {
      if (stop !== undefined && this.#peek() === stop) {
        this.#at++;
        this.#depth--;
        return out;
      }
      const plain = this.#plain();
      out += plain === '' ? this.#piece(keepsEscapes) : plain;
      if (out.length > MAX_LENGTH) throw new Failure(`the value is longer than ${MAX_LENGTH} characters`);
    }
    if (stop !== undefined) throw new Failure(`missing '${stop}'`);
    this.#depth--;
    return out;
  }

  /** One character, or what a quote or a variable stands for. */
  #piece(keepsEscapes: boolean): string {
    const character = this.#peek();
    if (character === '$') return this.#dollar();
    if (character === "'" && !this.#keepsQuotes) return this.#singleQuoted();
    if (character === '"' && !this.#keepsQuotes) return this.#doubleQuoted();
    this.#at += character.length;
    if (character !== this.#escape && !(keepsEscapes && character === '\\')) return character;
    if (this.#at >= this.#text.length) return '';
    return keepsEscapes ? character + this.#next() : this.#next();
  }

  #singleQuoted(): string {
    this.#at++;
    let out = '';
    while (this.#at < this.#text.length) {
      const character = this.#next();
      if (character === "'") return out;
      out += character;
    }
    throw new Failure('a single quote is not closed', LITERAL_QUOTE);
  }

  #doubleQuoted(): string {
    this.#at++;
    let out = '';
    while (this.#at < this.#text.length) {
      const character = this.#peek();
      if (character === '"') {
        this.#at++;
        return out;
      }
      if (character === '$') out += this.#dollar();
      else {
        this.#at += character.length;
        const next = this.#peek();
        const isEscape = character === this.#escape;
        if (isEscape && next === '') continue;
        out += isEscape && (next === '"' || next === '$' || next === this.#escape) ? this.#next() : character;
      }
    }
    throw new Failure('a double quote is not closed', LITERAL_QUOTE);
  }

  #dollar(): string {
    this.#at++;
    if (this.#peek() === '{') return this.#braced();
    const name = this.#name();
    return name === '' ? '$' : (this.#env.get(name) ?? '');
  }

  #name(): string {
    const first = this.#peek();
    if (DIGIT.test(first)) return this.#while(DIGIT);
    if (SPECIAL.has(first)) return this.#next();
    return NAME_START.test(first) ? this.#while(NAME_PART) : '';
  }

  #while(kind: RegExp): string {
    let out = '';
    while (this.#at < this.#text.length && kind.test(this.#peek())) out += this.#next();
    return out;
  }

  #braced(): string {
    this.#at++;
    const first = this.#peek();
    if (first === '') throw new Failure("missing '}'");
    if (first === '{' || first === '}' || first === ':') throw new Failure('bad substitution', '${NAME}');
    const name = this.#name();
    const operator = this.#next();
    if (operator === '}') return this.#env.get(name) ?? '';
    if (operator === '/') return this.#replaced(name);
    if (operator === ':') return this.#byState(name, this.#next(), true);
    if (operator === '#' || operator === '%') return this.#trimmed(name, operator);
    return this.#byState(name, operator, false);
  }

  /** `-`, `+` and `?`: what depends on whether a variable is set. */
  #byState(name: string, operator: string, emptyIsUnset: boolean): string {
    if (operator === '') throw new Failure("missing '}'");
    if (operator !== '-' && operator !== '+' && operator !== '?') {
      const written = `${emptyIsUnset ? ':' : ''}${operator}`;
      throw new Failure(
        `unsupported modifier (${written}) in substitution`,
        `\${NAME}, or ${OPERATORS} behind NAME`,
      );
    }
    const word = this.#until('}', false);
    const value = this.#env.get(name);
    const isUnset = value === undefined || (emptyIsUnset && value === '');
    if (operator === '+') return isUnset ? '' : word;
    if (!isUnset) return value;
    if (operator === '-') return word;
    const state = value === undefined ? 'unset' : 'empty';
    throw new Failure(`${name}: ${word === '' ? `is not allowed to be ${state}` : word}`);
  }

  #trimmed(name: string, operator: '#' | '%'): string {
    const isLongest = this.#peek() === operator;
    if (isLongest) this.#at++;
    const pattern = parsePattern(this.#until('}', true));
    const value = this.#env.get(name) ?? '';
    const which = isLongest ? 'longest' : 'shortest';
    return operator === '#' ? withoutPrefix(value, pattern, which) : withoutSuffix(value, pattern, which);
  }

  #replaced(name: string): string {
    const isAll = this.#peek() === '/';
    if (isAll) this.#at++;
    const pattern = parsePattern(this.#until('/', true));
    const replacement = this.#until('}', true);
    return replaceMatches(this.#env.get(name) ?? '', pattern, replacement, isAll ? 'all' : 'first');
  }
}

function parsePattern(text: string): ShellPattern {
  const pattern = parseShellPattern(text);
  if (!pattern.ok) throw new Failure(pattern.error);
  return pattern.value;
}
