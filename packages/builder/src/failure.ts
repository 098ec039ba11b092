import type { DiagnosticCode } from '@caisson/parser';
import type { Place } from './plan/planned.ts';

/** Why something did not work out. Stable: programs may match on it. */
export type FailureCode =
  /** The Dockerfile cannot be built as it is written: what is wrong with it. */
  | DiagnosticCode
  /** What was asked for makes no sense: an option, a context that is none. */
  | 'invalid-request'
  /** There is no Dockerfile where one was looked for. */
  | 'no-dockerfile'
  | 'unknown-target'
  /** More steps depend on one another than can be built. */
  | 'too-many-steps'
  /** The lint found something, and the Dockerfile wants that to be an error. */
  | 'lint-violation'
  /** COPY or ADD names something that is not there. */
  | 'missing-source'
  /** A URL or a git repository, or the way to it. */
  | 'fetch-failed'
  /** What ADD fetched is not what its checksum says. */
  | 'bad-checksum'
  /** ADD cannot unpack an archive. */
  | 'bad-archive'
  /** COPY or ADD cannot write where it should. */
  | 'bad-destination'
  /** The program of a RUN ended with another code than 0. */
  | 'step-failed'
  /** A RUN could not be started. */
  | 'step-not-run'
  /** A step needs a secret that was not given, or cannot be read. */
  | 'missing-secret'
  /** The image has no such program. */
  | 'no-such-command'
  /** What should be run is no program. */
  | 'not-executable'
  /** A file of the context changed while it was read. */
  | 'changed-while-read'
  /** A registry, or the way to it. */
  | 'registry'
  /** An image is not what it says. */
  | 'bad-image'
  | 'no-such-image'
  /** The store. */
  | 'store'
  | 'no-space'
  /** An output could not be written. */
  | 'output'
  /** The user, or the kernel, does not allow what is needed. */
  | 'no-permission'
  /** The thread in which the functions of the package work ended before it was done. */
  | 'thread-ended'
  | 'cancelled';

/** Something that did not work out, for people and programs. */
export interface Failure {
  readonly code: FailureCode;
  /** One sentence, without a full stop. */
  readonly message: string;
  /** Where in a Dockerfile it comes from. */
  readonly place?: Place;
  /** The step that failed: its number, its instruction, and which of several platforms it is for. */
  readonly step?: { readonly id: number; readonly text: string; readonly platform?: string };
  /** What would have been right. */
  readonly expected?: string;
  /** The nearest right thing. */
  readonly suggestion?: string;
  /** What the user can do. */
  readonly hint?: string;
  /** More of it, line by line: the last output of a step, for one. */
  readonly details?: readonly string[];
  /** The file with all that the step wrote. */
  readonly log?: string;
  /** The exit code of a step that ended with one. */
  readonly exitCode?: number;
}

/** Carries failures up to whoever turns them into a result. Several come from a Dockerfile with several errors. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[], cause?: unknown) {
    super(failures.map(({ message }) => message).join('; '), cause === undefined ? {} : { cause });
    this.failures = failures;
  }
}

/** An error with one failure. */
export function buildError(
  code: FailureCode,
  message: string,
  details: Omit<Failure, 'code' | 'message'> = {},
  cause?: unknown,
): BuildError {
  return new BuildError([{ code, message, ...details }], cause);
}
