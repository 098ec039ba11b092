import type { LayerErrorCode } from '@caisson/layer';
import type { RuntimeErrorCode } from './errors.ts';
import type { LayerFiles, Lower, RuntimeName, SandboxRequest, SandboxResult } from './sandbox-spec.ts';

/** How a host makes the root of a sandbox: it mounts layers, or it copies their files into a folder. */
export type RootKind = 'mounted' | 'copied';

/** A request to run a sandbox, as a host takes it that mounts layers. */
export interface MountedRun extends SandboxRequest<readonly Lower[]> {
  /** What makes the sandbox: the first of these that can. */
  readonly runtimes: readonly MountingRuntime[];
}

/** What makes sandboxes of mounted layers. */
export type MountingRuntime = Exclude<RuntimeName, 'chroot'>;

/** The same for a host that copies. */
export type CopiedRun = SandboxRequest<readonly LayerFiles[]>;

/** What the builder asks of the sandbox host. */
export type HostRequest =
  | { readonly kind: 'run-mounted'; readonly id: number; readonly request: MountedRun }
  | { readonly kind: 'run-copied'; readonly id: number; readonly request: CopiedRun }
  /** Tries to mount a layer through its map. */
  | { readonly kind: 'probe-maps'; readonly id: number; readonly folder: string }
  /** Ends a sandbox at once. */
  | { readonly kind: 'kill'; readonly id: number }
  /** Passes a signal to the program in a sandbox. */
  | { readonly kind: 'signal'; readonly id: number; readonly signal: NodeJS.Signals };

/** What the sandbox host tells. */
export type HostMessage =
  | { readonly kind: 'ready' }
  /** It cannot be of use here, and ends. */
  | { readonly kind: 'unfit'; readonly error: HostError }
  | {
      readonly kind: 'output';
      readonly id: number;
      readonly stream: 'stdout' | 'stderr';
      readonly data: Uint8Array;
    }
  | { readonly kind: 'result'; readonly id: number; readonly result: SandboxResult }
  /** Undefined: it can. */
  | { readonly kind: 'probed'; readonly id: number; readonly whyNot: string | undefined }
  | { readonly kind: 'error'; readonly id: number; readonly error: HostError };

/** An error on its way between processes. */
export interface HostError {
  readonly code: RuntimeErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** Where the error is one of a layer: which. */
  readonly layerCode?: LayerErrorCode;
}

/** Whether a value that came over the channel is a message of the host. Both ends are of one build. */
export function isHostMessage(value: unknown): value is HostMessage {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Whether a value that came over the channel is a request. */
export function isHostRequest(value: unknown): value is HostRequest {
  return typeof value === 'object' && value !== null && 'kind' in value && 'id' in value;
}
