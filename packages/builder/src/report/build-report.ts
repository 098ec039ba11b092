import type { Digest, Json } from '@caisson/oci';
import type { MissReason } from '../solve/miss-reason.ts';

/** What is kept of a build. */
export interface BuildReport {
  readonly id: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** In milliseconds; 0 until it has ended. */
  readonly duration: number;
  /** How it ended; undefined until it has. */
  readonly result?: BuildOutcome | undefined;
  /** The folder or the URL that was built; undefined for what came as a stream. */
  readonly context?: string | undefined;
  readonly dockerfile: string;
  readonly target: string;
  readonly steps: readonly ReportedStep[];
  /** The image that it gave; undefined where it failed before that. */
  readonly imageId?: Digest | undefined;
  /** What the layers of the image take, in bytes. */
  readonly size?: number | undefined;
  /** The full names that it was to have. */
  readonly names: readonly string[];
}

/** How a build ended. */
export type BuildOutcome = 'built' | 'failed' | 'cancelled';

/** A report as it is found. */
export interface KeptReport extends BuildReport {
  /** `killed`: nothing says how it ended, and it is not running any more. */
  readonly state: BuildOutcome | 'running' | 'killed';
}

/** What became of a step. */
export interface ReportedStep {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  /** `cancelled`: it was ended before it was done. `unreached`: it was not begun when the build ended. */
  readonly outcome: 'cached' | 'ran' | 'failed' | 'cancelled' | 'unreached';
  readonly key?: Digest | undefined;
  /** Of a step that ran: what its key is the digest of, and why it ran. */
  readonly record?: Readonly<Record<string, Json>> | undefined;
  readonly reason?: MissReason | undefined;
  /** In milliseconds. */
  readonly duration?: number | undefined;
}
