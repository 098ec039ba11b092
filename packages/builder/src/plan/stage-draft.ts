import { posix } from 'node:path';
import {
  expandWord,
  expandWords,
  type Diagnostic,
  expansionError,
  type EscapeCharacter,
  type LookUp,
  type Word,
} from '@caisson/parser';
import { DEFAULT_PATH, type ContainerConfig } from '@caisson/oci';
import type { Entitlement } from '../request.ts';
import { EnvList } from './env-list.ts';
import type { Place, PlannedHistory, PlannedStep } from './planned.ts';

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };

/** What a child stage takes over from the stage that it builds on. */
export interface Inherited {
  readonly config: ContainerConfig;
  readonly author: string | undefined;
  /** The args in scope, in the order in which they came. */
  readonly args: ReadonlyMap<string, string | undefined>;
  /** The values of args, which steps see besides the environment of the image. */
  readonly env: ReadonlyMap<string, string>;
}

/** The settings of the build that stages are planned for. */
export interface StageSettings {
  readonly path: string;
  readonly escape: EscapeCharacter;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** The args before the first FROM, with their values. */
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly network: 'host' | 'none';
  readonly allow: ReadonlySet<Entitlement>;
  readonly report: (diagnostic: Diagnostic, place?: Place) => void;
}

const DEFAULT_SHELL = ['/bin/sh', '-c'];

/**
 * A stage while its instructions are gone through: its config so far, the variables in scope, the steps and the
 * history. An instruction sees what those before it left.
 */
export class StageDraft {
  /** Changed while a trigger of the base image is gone through: its problems stand elsewhere. */
  settings: StageSettings;
  /** All of the config but the variables and the labels, of which there may be many. */
  readonly config: Draft<Omit<ContainerConfig, 'Env' | 'Labels'>>;
  author: string | undefined;
  /** Whether this stage has a CMD of its own: an ENTRYPOINT drops an inherited one only. */
  hasOwnCmd = false;
  readonly steps: PlannedStep[] = [];
  readonly history: PlannedHistory[] = [];
  readonly #args: Map<string, string | undefined>;
  readonly #env: Map<string, string>;
  readonly #imageEnv: EnvList;
  readonly #labels: Map<string, string>;

  constructor(settings: StageSettings, inherited: Inherited) {
    this.settings = settings;
    const { Env = [], Labels = {}, ...config } = inherited.config;
    this.config = config;
    this.#imageEnv = new EnvList(Env);
    this.#labels = new Map(Object.entries(Labels));
    this.author = inherited.author;
    this.#args = new Map(inherited.args);
    this.#env = new Map(inherited.env);
    // An ARG of the parent that came after an ENV of the same name held in the parent alone.
    for (const entry of Env) {
      const at = entry.indexOf('=');
      this.#env.set(entry.slice(0, at), entry.slice(at + 1));
    }
    if (!this.#env.has('PATH')) this.setEnv('PATH', DEFAULT_PATH);
  }

  get env(): LookUp {
    return this.#env;
  }

  /** The environment of a step, `NAME=value`. */
  get runEnv(): string[] {
    return [...this.#env].map(([name, value]) => `${name}=${value}`);
  }

  /** The names of the args in scope. */
  get argNames(): string[] {
    return [...this.#args.keys()];
  }

  get shell(): readonly string[] {
    return this.config.Shell ?? DEFAULT_SHELL;
  }

  /** Absolute, without dots and double slashes, whatever the config says. */
  get workdir(): string {
    return posix.resolve('/', this.config.WorkingDir ?? '');
  }

  /** What a child stage takes over. */
  get inherited(): Inherited {
    return { config: this.wholeConfig, author: this.author, args: this.#args, env: this.#env };
  }

  /** Sets a variable of the image. */
  setEnv(name: string, value: string): void {
    this.#env.set(name, value);
    this.#imageEnv.set(name, value);
  }

  setLabel(name: string, value: string): void {
    this.#labels.set(name, value);
  }

  /** The config that the stage has come to. */
  get wholeConfig(): ContainerConfig {
    const { entries } = this.#imageEnv;
    return {
      ...this.config,
      ...(entries.length === 0 ? {} : { Env: entries }),
      ...(this.#labels.size === 0 ? {} : { Labels: Object.fromEntries(this.#labels) }),
    };
  }

  /** Declares an arg; one without a value is known, but set nowhere. */
  setArg(name: string, value: string | undefined): void {
    this.#args.set(name, value);
    if (value !== undefined) this.#env.set(name, value);
  }

  /** The args in scope, as the history of a RUN shows them. */
  get historyArgs(): string {
    if (this.#args.size === 0) return '';
    const args = [...this.#args].map(([name, value]) => `${name}=${this.#env.get(name) ?? value ?? ''}`);
    return `|${args.length} ${args.join(' ')} `;
  }

  /** A line of the history for an instruction that makes no layer. */
  note(createdBy: string): void {
    this.history.push({ createdBy, step: undefined });
  }

  /** A step, and its line of the history. */
  addStep(step: PlannedStep, createdBy: string): void {
    this.steps.push(step);
    this.history.push({ createdBy, step });
  }

  /** Expands a word; what is wrong with it is reported, and then there is none. */
  expand(word: Word): string | undefined {
    const expanded = expandWord(word.text, this.#env, { escape: this.settings.escape });
    if (expanded.ok) return expanded.value;
    this.settings.report(expansionError(word.range, expanded.error));
    return undefined;
  }

  /** Expands a word into the words that it holds. */
  expandList(word: Word): string[] {
    const expanded = expandWords(word.text, this.#env, { escape: this.settings.escape });
    if (expanded.ok) return expanded.value;
    this.settings.report(expansionError(word.range, expanded.error));
    return [];
  }
}
