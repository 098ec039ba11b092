export { build, type Build } from './build.ts';
export { check } from './check.ts';
export { CaissonError } from './error.ts';
export { openStore } from './open-store.ts';
export type {
  BuildsOptions,
  CallOptions,
  PruneOptions,
  Pull,
  PulledImage,
  PullOptions,
  Push,
  PushedImage,
  PushOptions,
  RemoveOptions,
  Store,
  StoreImage,
  VerifyOptions,
} from './store.ts';
export type { PastBuild, PastStep } from './past-build.ts';
export type { PullEvent } from '../images/pull.ts';
export type { PushEvent } from '../images/push.ts';
export { plan } from './plan.ts';
export { watch, type Watch, type WatchOptions } from './watch.ts';
export type { WatchEvent } from './watch-event.ts';
export type { WatchNews } from '../watch/watch-events.ts';
export type { WatchLimit } from '../watch/file-watcher.ts';
export { run, type Run, type RunEnd } from './run.ts';
export type { Running } from './running.ts';
export type {
  BuildOptions,
  CacheSource,
  CacheTarget,
  CommonOptions,
  Context,
  ContextEntry,
  ContextFile,
  ContextTree,
  Destination,
  Limits,
  Output,
  PlanOptions,
  RegistryAccessOptions,
  RegistryCredentials,
  Secret,
  SourceOptions,
} from './build-options.ts';
export type { BuiltImage, BuiltStep } from './built-image.ts';
export type { PlatformImage, PlatformImages } from '../result.ts';
export type { ProgramInput, RunOptions, RunOutput } from './run-options.ts';
export type { CheckedDockerfile, UncheckedBase } from '../check/check-dockerfile.ts';
export type { BuildEvent, StepInfo, Warning } from '../events.ts';
export type { LostEvents } from './event-bounds.ts';
export type { Failure, FailureCode } from '../failure.ts';
export type { BuildPlan, StepForecast } from '../plan-steps.ts';
export type { Place } from '../plan/planned.ts';
export type { Change, FileChange, FileField, MissReason, StateCause } from '../solve/miss-reason.ts';
export type { StoreProblem, Verified } from '../verify/verify.ts';
export type { EntryKind, EntryUsage, Pruned, Usage } from '@caisson/store';
export type { Digest, ImageConfig, Manifest } from '@caisson/oci';
