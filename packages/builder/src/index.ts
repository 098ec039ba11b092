export { build } from './build.ts';
export type { BuildEvent, Emit, StepInfo } from './events.ts';
export type { Failure, FailureCode } from './failure.ts';
export type { Place } from './plan/planned.ts';
export type { BuildRequest, OutputRequest, PullPolicy } from './request.ts';
export type { BuildResult } from './result.ts';
