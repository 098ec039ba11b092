import type { ArgInstruction, Instruction } from '../ast.ts';
import type { EscapeCharacter } from '../directives.ts';
import { expandWords } from '../expand.ts';
import { Bindings } from './bindings.ts';
import type { KnownBase } from './lint-options.ts';
import { noteVariables, type NotedWord } from './variables.ts';

/** What a scope needs of the settings of a build. */
export interface ScopeSettings {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly escape: EscapeCharacter;
}

interface ScopeParts {
  readonly variables: Bindings;
  readonly isComplete: boolean;
  readonly hasShell: boolean;
  readonly hasWorkdir: boolean;
}

const AT_START = { hasShell: false, hasWorkdir: false };

/** Every stage has a PATH, also on nothing; what it holds does not matter here. */
const NOTHING: readonly (readonly [string, string])[] = [['PATH', '/usr/bin:/bin']];

const MAX_NAMES = 100;

/** What holds at a place of a stage. It is never changed: an instruction leaves a new one. */
export class Scope {
  readonly #settings: ScopeSettings;
  readonly #parts: ScopeParts;

  private constructor(settings: ScopeSettings, parts: ScopeParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  static onNothing(settings: ScopeSettings): Scope {
    return new Scope(settings, { ...AT_START, variables: Bindings.of(NOTHING), isComplete: true });
  }

  static onUnknown(settings: ScopeSettings): Scope {
    return new Scope(settings, { ...AT_START, variables: Bindings.of(NOTHING), isComplete: false });
  }

  static onImage(settings: ScopeSettings, { env, hasShell }: KnownBase): Scope {
    const variables = Bindings.of([...NOTHING, ...env]);
    return new Scope(settings, { ...AT_START, variables, isComplete: true, hasShell });
  }

  /** Whether the base is known: otherwise there may be more variables than these, and a shell. */
  get isComplete(): boolean {
    return this.#parts.isComplete;
  }

  /** Whether somebody has chosen the shell of commands. */
  get hasShell(): boolean {
    return this.#parts.hasShell;
  }

  /** Whether a WORKDIR came before, in this stage or in those under it. */
  get hasWorkdir(): boolean {
    return this.#parts.hasWorkdir;
  }

  /** The variables that can be used, those without a value too: as many as it makes sense to compare with. */
  get names(): string[] {
    return this.#parts.variables.names(MAX_NAMES);
  }

  /** Expands a word; an arg that is declared without a value counts as set, to nothing. */
  note(text: string, options: { readonly keepsQuotes?: boolean } = {}): NotedWord {
    return noteVariables(text, this.#parts.variables, this.#settings.escape, options);
  }

  /** A word expanded; undefined where it cannot be, or depends on a base that is not known. */
  expand(text: string): string | undefined {
    const { value, unset } = this.note(text);
    return this.isComplete || unset.size === 0 ? value : undefined;
  }

  /** The words of a text expanded, as {@link expand}. */
  expandWords(text: string): readonly string[] | undefined {
    if (this.expand(text) === undefined) return undefined;
    const words = expandWords(text, this.#parts.variables, { escape: this.#settings.escape });
    return words.ok ? words.value : undefined;
  }

  /** The scope that an instruction leaves. */
  after(instruction: Instruction): Scope {
    switch (instruction.kind) {
      case 'env': {
        const set = instruction.pairs.map(
          ({ key, value }) => [this.note(key.text).value ?? '', this.note(value.text).value ?? ''] as const,
        );
        return this.#with({ variables: this.#parts.variables.with(set) });
      }
      case 'arg':
        return instruction.args.reduce<Scope>((scope, arg) => scope.afterArg(arg), this);
      case 'shell':
        return this.#with({ hasShell: true });
      case 'workdir':
        return this.#with({ hasWorkdir: true });
      default:
        return this;
    }
  }

  /** The scope that one arg leaves: several in an ARG see one another. */
  afterArg({ name, value }: ArgInstruction['args'][number]): Scope {
    const { buildArgs, globalArgs } = this.#settings;
    const byDefault = value === undefined ? globalArgs.get(name.text) : (this.note(value.text).value ?? '');
    const set = buildArgs.get(name.text) ?? byDefault;
    const { variables } = this.#parts;
    // A variable that is there keeps its value where the ARG has none.
    if (set === undefined && variables.get(name.text) !== undefined) return this;
    return this.#with({ variables: variables.with([[name.text, set]]) });
  }

  /** Whether the build gives an arg a value: then its default is not even looked at. */
  isGiven(name: string): boolean {
    return this.#settings.buildArgs.has(name);
  }

  #with(parts: Partial<ScopeParts>): Scope {
    return new Scope(this.#settings, { ...this.#parts, ...parts });
  }
}
