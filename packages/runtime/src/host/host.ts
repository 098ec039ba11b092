import type { HostRequest } from '../host-protocol.ts';
import type { SandboxResult } from '../sandbox-spec.ts';
import type { OutputSink } from './output.ts';
import type { Running } from './running.ts';

/** What a sandbox host does for the builder. */
export interface Host {
  /** Runs one sandbox. @throws RuntimeError */
  run(
    request: Extract<HostRequest, { kind: 'run-mounted' | 'run-copied' }>,
    running: Running,
    sink: OutputSink,
  ): Promise<SandboxResult>;
  /** Loads what layers are made with. */
  warmUp(): void;
  /** @param folder an empty folder of the store. @throws RuntimeError */
  whyMapsCannotBeMounted(folder: string): string | undefined;
  /** Ends in order: all sandboxes have been told to end. */
  end(): Promise<void>;
}
