import type { Emit } from '@caisson/builder';

/** How a build is shown. */
export type ProgressKind = 'auto' | 'tty' | 'plain' | 'rawjson' | 'quiet';

/** Shows one build while it goes on. It holds nothing of the process but, between `emit` and `finish`, a timer. */
export interface Progress {
  /** Shows an event, now or in a moment. */
  readonly emit: Emit;
  /** Shows the rest, and how it ended. */
  finish(ended: Ended): void;
}

/** How a build ended. */
export type Ended = 'built' | 'failed' | 'cancelled';
