import type { Digest, Json } from '@caisson/oci';
import type { MissReason } from '../solve/miss-reason.ts';

/** What is kept of a build. */
export interface BuildReport {
  readonly id: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** In milliseconds. */
  readonly duration: number;
  readonly dockerfile: string;
  readonly target: string;
  readonly steps: readonly ReportedStep[];
  /** The image that it gave; undefined where it failed. */
  readonly imageId?: Digest | undefined;
  readonly names: readonly string[];
}

/** What became of a step. */
export interface ReportedStep {
  readonly id: number;
  readonly name: string;
  readonly text: string;
  /** `unreached`: it was not begun when the build ended. */
  readonly outcome: 'cached' | 'ran' | 'failed' | 'unreached';
  readonly key?: Digest | undefined;
  /** Of a step that ran: what its key is the digest of, and why it ran. */
  readonly record?: Readonly<Record<string, Json>> | undefined;
  readonly reason?: MissReason | undefined;
  /** In milliseconds. */
  readonly duration?: number | undefined;
}
