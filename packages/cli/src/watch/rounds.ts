import type { Emit, Failure, WatchEvent } from '@caisson/builder';
import type { Started, Teller } from './running.ts';

/** Shows the builds of a watch, one after another. Disposing of it takes away what should not stay. */
export interface Rounds extends Disposable, Teller {
  /** Whether programs read it: they are told everything. */
  readonly isForPrograms: boolean;
  /** A build begins. */
  begin(): Promise<void>;
  /** Something happens in it. */
  readonly emit: Emit;
  /** It gave an image. */
  built(event: Built): void;
  failed(failures: readonly Failure[]): void;
  /** Shows a text that nobody may miss, with a newline at its end. */
  warn(text: string): void;
  /** Ctrl-C was pressed: a terminal has shown that. */
  interrupted(): void;
  /** There is nothing to do until something changes. */
  rest(): void;
}

/** A build gave an image. */
export type Built = Extract<WatchEvent, { kind: 'built' }>;

/** What is said of something that ended by itself; where a signal ended it, its code is 128 and the signal's number. */
export function exitedText(what: Started, exitCode: number): string {
  return `the ${what} ended with exit code ${exitCode}`;
}

/** What is said of a watch that has nothing to do. */
export const AT_REST = 'waiting for changes';
