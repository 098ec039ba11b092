import type { Directives, EscapeCharacter } from './directives.ts';
import type { Flag } from './flags.ts';
import type { Heredoc } from './heredoc.ts';
import type { Range, SourceText } from './source-text.ts';
import type { Word } from './words.ts';

/** What every instruction has. */
interface InstructionBase {
  /** From its keyword to the end of its last line, heredocs included. */
  readonly range: Range;
  readonly keyword: Word;
  /** Its lines joined, without continuations and comments: what docker shows of it. */
  readonly text: string;
  /** As it stands in the file, heredocs included. */
  readonly original: string;
  /** Empty lines between its continued ones, from 1: they are skipped, and deprecated. */
  readonly emptyLines: readonly number[];
}

/** The command of RUN, CMD, ENTRYPOINT or HEALTHCHECK. */
export type Command =
  /** A text for the shell. */
  | { readonly form: 'shell'; readonly text: string }
  /** A program and its arguments. */
  | { readonly form: 'exec'; readonly args: readonly string[] };

/** A name and a value, as written. */
export interface Pair {
  readonly key: Word;
  readonly value: Word;
}

/** A source of COPY or ADD. */
export type CopySource =
  | { readonly kind: 'path'; readonly word: Word }
  | { readonly kind: 'heredoc'; readonly heredoc: Heredoc };

/** @see https://docs.docker.com/reference/dockerfile/#from */
export interface FromInstruction extends InstructionBase {
  readonly kind: 'from';
  readonly image: Word;
  readonly platform?: Flag;
  /** The word between the image and the name. */
  readonly as?: Word;
  /** As written; stage names are compared in lower case. */
  readonly stageName?: Word;
}

/** @see https://docs.docker.com/reference/dockerfile/#run */
export interface RunInstruction extends InstructionBase {
  readonly kind: 'run';
  readonly flags: readonly Flag[];
  readonly command: Command;
  readonly commandRange: Range;
  readonly heredocs: readonly Heredoc[];
}

/** @see https://docs.docker.com/reference/dockerfile/#copy */
export interface CopyInstruction extends InstructionBase {
  readonly kind: 'copy';
  readonly flags: readonly Flag[];
  readonly sources: readonly CopySource[];
  readonly destination: Word;
}

/** @see https://docs.docker.com/reference/dockerfile/#add */
export interface AddInstruction extends InstructionBase {
  readonly kind: 'add';
  readonly flags: readonly Flag[];
  readonly sources: readonly CopySource[];
  readonly destination: Word;
}

/** @see https://docs.docker.com/reference/dockerfile/#env */
export interface EnvInstruction extends InstructionBase {
  readonly kind: 'env';
  readonly pairs: readonly Pair[];
  /** `ENV name value`, without an equals sign. */
  readonly isLegacy: boolean;
}

/** @see https://docs.docker.com/reference/dockerfile/#label */
export interface LabelInstruction extends InstructionBase {
  readonly kind: 'label';
  readonly pairs: readonly Pair[];
  readonly isLegacy: boolean;
}

/** @see https://docs.docker.com/reference/dockerfile/#arg */
export interface ArgInstruction extends InstructionBase {
  readonly kind: 'arg';
  readonly args: readonly { readonly name: Word; readonly value?: Word }[];
}

/** An instruction whose whole rest is one value. */
interface ValueInstruction extends InstructionBase {
  readonly value: Word;
}

/** @see https://docs.docker.com/reference/dockerfile/#workdir */
export interface WorkdirInstruction extends ValueInstruction {
  readonly kind: 'workdir';
}

/** @see https://docs.docker.com/reference/dockerfile/#user */
export interface UserInstruction extends ValueInstruction {
  readonly kind: 'user';
}

/** @see https://docs.docker.com/reference/dockerfile/#stopsignal */
export interface StopsignalInstruction extends ValueInstruction {
  readonly kind: 'stopsignal';
}

/** @see https://docs.docker.com/reference/dockerfile/#maintainer-deprecated */
export interface MaintainerInstruction extends ValueInstruction {
  readonly kind: 'maintainer';
}

/** @see https://docs.docker.com/reference/dockerfile/#expose */
export interface ExposeInstruction extends InstructionBase {
  readonly kind: 'expose';
  readonly ports: readonly Word[];
}

/** @see https://docs.docker.com/reference/dockerfile/#volume */
export interface VolumeInstruction extends InstructionBase {
  readonly kind: 'volume';
  readonly paths: readonly Word[];
}

/** @see https://docs.docker.com/reference/dockerfile/#shell */
export interface ShellInstruction extends InstructionBase {
  readonly kind: 'shell';
  readonly args: readonly string[];
}

/** @see https://docs.docker.com/reference/dockerfile/#cmd */
export interface CmdInstruction extends InstructionBase {
  readonly kind: 'cmd';
  readonly command: Command;
}

/** @see https://docs.docker.com/reference/dockerfile/#entrypoint */
export interface EntrypointInstruction extends InstructionBase {
  readonly kind: 'entrypoint';
  readonly command: Command;
}

/** @see https://docs.docker.com/reference/dockerfile/#healthcheck */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'healthcheck';
  /** Undefined for `HEALTHCHECK NONE`. */
  readonly command: Command | undefined;
  /** In nanoseconds; 0 where they are not given. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** @see https://docs.docker.com/reference/dockerfile/#onbuild */
export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'onbuild';
  /** The text that the image keeps: the instruction, and its heredocs. */
  readonly trigger: string;
}

export type Instruction =
  | FromInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | EnvInstruction
  | LabelInstruction
  | ArgInstruction
  | WorkdirInstruction
  | UserInstruction
  | StopsignalInstruction
  | MaintainerInstruction
  | ExposeInstruction
  | VolumeInstruction
  | ShellInstruction
  | CmdInstruction
  | EntrypointInstruction
  | HealthcheckInstruction
  | OnbuildInstruction;

/** A FROM and what follows it. */
export interface Stage {
  /** From 0. */
  readonly index: number;
  /** In lower case; undefined where it has none. */
  readonly name: string | undefined;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
}

/** A parsed Dockerfile. What could not be read is not in it; the diagnostics tell. */
export interface Dockerfile {
  readonly path: string;
  readonly source: SourceText;
  readonly directives: Directives;
  readonly escape: EscapeCharacter;
  /** The ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
}
