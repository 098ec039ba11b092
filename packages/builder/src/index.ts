export { build } from './build.ts';
export type { BuildEvent, Emit, StepInfo } from './events.ts';
export type { Failure, FailureCode } from './failure.ts';
export type { Place } from './plan/planned.ts';
export type { BuildRequest, Entitlement, OutputRequest, PullPolicy, SecretSource } from './request.ts';
export type { BuildResult } from './result.ts';
export { runImage, type OnStart } from './run/run-image.ts';
export type { RunRequest } from './run/run-request.ts';
