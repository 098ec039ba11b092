import type { KeptReport, ReportedStep } from '../report/build-report.ts';

/** A build that the store knows of. */
export interface PastBuild extends Omit<KeptReport, 'steps' | 'result'> {
  readonly steps: readonly PastStep[];
}

/** What became of a step of it. */
export interface PastStep extends Omit<ReportedStep, 'record'> {
  /** The file with all that it wrote, where that is there. */
  readonly log?: string;
}
