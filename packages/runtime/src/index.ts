export {
  MAX_ID,
  numberOf,
  parseGroup,
  parsePasswd,
  type GroupLine,
  type PasswdLine,
} from './account-files.ts';
export { probeRuntimes, type RuntimeProbe } from './available-runtimes.ts';
export { gzipProgram } from '@caisson/layer';
export { inUserNamespace } from '@caisson/sys';
export { becomeProgram } from './become-program.ts';
export { canRunProgramsOf, emulatedArchitectures, emulatorHint } from './foreign-programs.ts';
export {
  isResource,
  isUlimit,
  RESOURCES,
  type ExtraHost,
  type Resource,
  type SandboxLimits,
  type Ulimit,
} from './limits.ts';
export { chooseRuntimes, isolationOf, ISOLATIONS, type RuntimeChoice } from './isolation.ts';
export { NAMESPACES_HINT, RuntimeError, type RuntimeErrorCode } from './errors.ts';
export type { PassedStreams } from './passed-streams.ts';
export { SandboxHost, type OutputListener, type RunOptions } from './sandbox-host.ts';
export type { HostOptions } from './start-host.ts';
export { unlessAborted } from './unless-aborted.ts';
export type {
  BindMount,
  CommitRequest,
  CommittedLayer,
  Isolation,
  LayerFiles,
  LayerSource,
  Lower,
  MappedLayer,
  OciRuntimeName,
  RuntimeName,
  SandboxMount,
  SandboxRequest,
  SandboxResult,
  SandboxSpec,
} from './sandbox-spec.ts';
