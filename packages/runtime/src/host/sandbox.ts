import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unmount } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import type { CommitRequest, CommittedLayer, RuntimeName, SandboxResult } from '../sandbox-spec.ts';
import { SandboxCgroup } from './cgroup.ts';
import type { MountedRun, MountingRuntime } from '../host-protocol.ts';
import type { Committer } from './committer.ts';
import type { MountingHost } from './mounting-host.ts';
import { MountTargets } from './mount-targets.ts';
import { runWithNamespaces } from './namespaces.ts';
import { runWithOciRuntime } from './oci-runtime.ts';
import { ownStreams, streamOutput, type OutputSink, type StandardStreams } from './output.ts';
import { mountBefore, mountOverlay, resetRoot, type BeforeMount, type Overlay } from './overlay.ts';
import { OwnTerminal } from './own-terminal.ts';
import { prepareSandbox, type PreparedSandbox } from './prepared-sandbox.ts';
import { ReceivedTerminal } from './received-terminal.ts';
import { RootFolder } from './root-folder.ts';
import { checkUlimits } from './rlimits.ts';
import { makeMounts } from './sandbox-mounts.ts';
import type { Running, Started } from './running.ts';
import type { Workspace } from './workspace.ts';

/**
 * Runs one sandbox, from the mount of its layers to the layer that it leaves. A straight line: mount, prepare, run,
 * take away what was only there to mount on, commit, unmount. Nobody waits for what can be done beside: the state before
 * is mounted while the step runs, and the sandbox is unmounted while its layer is being made.
 * @throws RuntimeError
 */
export async function runSandbox(
  host: Pick<MountingHost, 'workspace' | 'committer'>,
  request: MountedRun,
  running: Running,
  sink: OutputSink,
): Promise<SandboxResult> {
  const { workspace } = host;
  const { id, folder } = workspace.newSandbox();
  const afterwards = new DisposableStack();
  afterwards.defer(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const root = join(folder, 'root');
    mkdirSync(root);
    const overlay = mountOverlay(workspace, request.layers, request.folder, root);
    afterwards.defer(overlay.forget);
    // As soon as the step runs: until it ends there is nothing else to do.
    const before = running.started.then(
      () => request.commit && afterwards.use(mountBefore(workspace, request.layers, `${root}-before`)),
    );
    before.catch(() => {}); // told where it is needed
    let ended: Ended;
    let layer: Promise<CommittedLayer> | undefined;
    try {
      ended = await runMounted(workspace, { id, folder, root }, request, running, sink);
      if (request.commit !== undefined && ended.exitCode === 0)
        layer = commit(host.committer, request.commit, { overlay, before: await before, running });
      layer?.catch(() => {}); // told below
    } finally {
      unmount(root, 'detach');
    }
    return layer === undefined ? ended : { ...ended, layer: await layer };
  } finally {
    setImmediate(() => tidyUp(afterwards)); // when the result is on its way
  }
}

/** What cannot be removed now goes with the session's folder, and what is mounted with the host: others run on meanwhile. */
function tidyUp(afterwards: DisposableStack): void {
  try {
    afterwards.dispose();
  } catch (error) {
    process.stderr.write(`what a step left behind cannot be removed: ${String(error)}\n`);
  }
}

/** What happens while the root is mounted. */
async function runMounted(
  workspace: Workspace,
  { id, folder, root }: { readonly id: string; readonly folder: string; readonly root: string },
  { spec, runtimes }: MountedRun,
  running: Running,
  sink: OutputSink,
): Promise<Ended> {
  const rootFolder = new RootFolder(root);
  const targets = new MountTargets(rootFolder);
  try {
    using mounts = await makeMounts(workspace, folder, rootFolder, spec.mounts);
    const prepared = { id, folder, root, spec, shown: mounts.binds };
    const sandbox = prepareSandbox(prepared, workspace.networkFiles, targets);
    return await start(workspace, sandbox, runtimes, running, sink);
  } finally {
    running.over();
    targets.remove();
  }
}

interface Ended {
  readonly exitCode: number;
  readonly runtime: RuntimeName;
  readonly refused: SandboxResult['refused'];
}

/** Starts the sandbox with the first runtime that can make it. One that cannot has run nothing of the step. */
async function start(
  workspace: Workspace,
  sandbox: PreparedSandbox,
  runtimes: readonly MountingRuntime[],
  running: Running,
  sink: OutputSink,
): Promise<Ended> {
  const { limits = {} } = sandbox.spec;
  checkUlimits(limits.ulimits ?? []);
  const cgroup = SandboxCgroup.make(workspace, limits);
  try {
    return await startWithFirst(workspace, sandbox, runtimes, { running, sink, cgroup });
  } finally {
    await cgroup?.close();
  }
}

interface Starting {
  readonly running: Running;
  readonly sink: OutputSink;
  readonly cgroup: SandboxCgroup | undefined;
}

async function startWithFirst(
  workspace: Workspace,
  sandbox: PreparedSandbox,
  runtimes: readonly MountingRuntime[],
  { running, sink, cgroup }: Starting,
): Promise<Ended> {
  const refused: { runtime: RuntimeName; reason: string }[] = [];
  for (const runtime of runtimes) {
    if (running.isKilled) throw new RuntimeError('aborted', 'the step was cancelled');
    const streams = streamsFor(runtime, sandbox, sink);
    let started: Started;
    try {
      started = await startWith(runtime, sandbox, streams, workspace, running, cgroup);
      streams.ended?.();
      if (started.kind === 'ended') {
        await streams.drained;
        return { exitCode: started.exitCode, runtime, refused };
      }
    } catch (error) {
      streams.terminal?.[Symbol.dispose]();
      throw error;
    }
    streams.terminal?.[Symbol.dispose]();
    await Promise.allSettled([streams.drained]); // nothing of it has run
    refused.push({ runtime, reason: started.reason });
  }
  const reasons = refused.map(({ runtime, reason }) => `${runtime}: ${reason}`).join('; ');
  throw new RuntimeError('sandbox-failed', `no sandbox could be made: ${reasons}`, {
    hint: 'caisson doctor says what is missing',
  });
}

function streamsFor(
  runtime: MountingRuntime,
  { spec, folder }: PreparedSandbox,
  sink: OutputSink,
): StandardStreams {
  if (spec.stdio === 'terminal' && runtime !== 'runc') {
    const isMade = runtime === 'namespaces';
    return (isMade ? new OwnTerminal(spec.stdin) : new ReceivedTerminal(folder, spec.stdin)).streams;
  }
  return ownStreams(spec) ?? streamOutput(sink);
}

function startWith(
  runtime: MountingRuntime,
  sandbox: PreparedSandbox,
  streams: StandardStreams,
  workspace: Workspace,
  running: Running,
  cgroup: SandboxCgroup | undefined,
): Promise<Started> {
  switch (runtime) {
    case 'crun':
    case 'runc':
      return runWithOciRuntime(runtime, sandbox, streams, workspace, running, cgroup);
    case 'namespaces':
      return runWithNamespaces(sandbox, streams, running, cgroup);
  }
}

async function commit(
  committer: Committer,
  { tar, toc, latest }: CommitRequest,
  left: { readonly overlay: Overlay; readonly before: BeforeMount | undefined; readonly running: Running },
): Promise<CommittedLayer> {
  const { overlay, before, running } = left;
  resetRoot(overlay.upper);
  const times = latest === undefined ? {} : { latest };
  const task = { upper: overlay.upper, before: before?.path, tar, toc, ...times };
  const written = await committer.commit(task, running);
  return { ...written, tree: overlay.isInStore ? overlay.upper : undefined };
}
