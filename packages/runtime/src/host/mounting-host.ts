import type { SandboxResult } from '../sandbox-spec.ts';
import { Committer } from './committer.ts';
import type { Host } from './host.ts';
import type { OutputSink } from './output.ts';
import { whyMapsCannotBeMounted } from './probe-maps.ts';
import type { Running } from './running.ts';
import { runSandbox } from './sandbox.ts';
import { Workspace } from './workspace.ts';

/** The host that mounts layers, in namespaces of its own. */
export class MountingHost implements Host {
  readonly workspace: Workspace;
  readonly committer = new Committer();

  /** @param folder an empty folder; only this process sees what is mounted there */
  constructor(folder: string) {
    this.workspace = new Workspace(folder);
  }

  run(message: Parameters<Host['run']>[0], running: Running, sink: OutputSink): Promise<SandboxResult> {
    if (message.kind !== 'run-mounted') throw new Error('Internal error: this host mounts what it runs');
    if (message.request.commit !== undefined) this.warmUp();
    return runSandbox(this, message.request, running, sink);
  }

  warmUp(): void {
    this.committer.warmUp();
  }

  whyMapsCannotBeMounted(folder: string): string | undefined {
    return whyMapsCannotBeMounted(this.workspace, folder);
  }

  /** The kernel takes away whatever is left. */
  async end(): Promise<void> {}
}
