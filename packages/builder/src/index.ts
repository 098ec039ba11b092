export { build } from './build.ts';
export { plan, type BuildPlan, type StepForecast } from './plan-steps.ts';
export type { BuildOutcome, BuildReport, KeptReport, ReportedStep } from './report/build-report.ts';
export { whyNotWritable } from './outputs/check-destinations.ts';
export { findReport, listReports, type FoundReport } from './report/read-report.ts';
export {
  check,
  type CheckedDockerfile,
  type CheckRequest,
  type UncheckedBase,
} from './check/check-dockerfile.ts';
export type { BuildEvent, Emit, StepInfo, Warning } from './events.ts';
export type { FilesSoFar } from './file-progress.ts';
export type { GitProgress } from './git/git-progress.ts';
export type { Failure, FailureCode } from './failure.ts';
export type { Place } from './plan/planned.ts';
export type { BuildRequest, Entitlement, OutputRequest, PullPolicy, SecretSource } from './request.ts';
export type { Change, FileChange, FileField, MissReason, StateCause } from './solve/miss-reason.ts';
export type { BuildResult } from './result.ts';
export type { IgnoreLine, IgnoreRules } from './context/ignore-rules.ts';
export { readIgnoreRules } from './source/read-ignore-rules.ts';
export { pull, type PulledImage, type PullEvent, type PullRequest } from './images/pull.ts';
export { push, type PushEvent, type PushRequest } from './images/push.ts';
export { runImage, type OnStart } from './run/run-image.ts';
export { makeFolders } from '@caisson/sys';
export type { RunRequest } from './run/run-request.ts';
export { verify, type StoreProblem, type Verified, type VerifyRequest } from './verify/verify.ts';
export { watch, type Watch, type WatchRequest } from './watch/watch.ts';
export type { WatchEvent } from './watch/watch-events.ts';
export type { WatchLimit } from './watch/file-watcher.ts';
