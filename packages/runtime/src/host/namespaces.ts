import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { NAMESPACES_INIT } from '../entry-points.ts';
import { RuntimeError } from '../errors.ts';
import type { InitSpec } from '../init/init-spec.ts';
import type { BindMount } from '../sandbox-spec.ts';
import type { SandboxCgroup } from './cgroup.ts';
import { SANDBOX_HOSTNAME, STEP_CAPABILITIES } from '../profile.ts';
import { startChild, type StartedChild } from './child.ts';
import type { ShownTerminal, StandardStreams } from './output.ts';
import { devicePath, type PreparedSandbox } from './prepared-sandbox.ts';
import type { Running, Started } from './running.ts';

/**
 * Runs a sandbox with nothing but the kernel and unshare(1): a short program of ours becomes the first process of new
 * namespaces, makes the mounts, gives up what it does not need, and becomes the step's program.
 */
export async function runWithNamespaces(
  sandbox: PreparedSandbox,
  streams: StandardStreams,
  running: Running,
  cgroup: SandboxCgroup | undefined,
): Promise<Started> {
  const { spec, folder } = sandbox;
  const { terminal } = streams;
  const problem = join(folder, 'problem');
  const initSpec: InitSpec = {
    root: sandbox.root,
    executable: sandbox.executable,
    args: spec.args,
    env: sandbox.env,
    cwd: spec.cwd,
    identity: { uid: sandbox.account.uid, gid: sandbox.account.gid, groups: sandbox.account.groups },
    network: spec.network,
    hostname: spec.hostname ?? SANDBOX_HOSTNAME,
    capabilities: STEP_CAPABILITIES,
    ulimits: spec.limits?.ulimits ?? [],
    hasTerminal: terminal !== undefined,
    systemMounts: sandbox.systemMounts,
    binds: [...sandbox.binds, ...(terminal === undefined ? [] : [consoleOf(sandbox, terminal)])],
    problem,
  };
  const specPath = join(folder, 'init.json');
  writeFileSync(specPath, JSON.stringify(initSpec), { mode: 0o600 });
  closeSync(openSync(problem, 'wx', 0o600));
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', ...(spec.network === 'none' ? ['--net'] : [])];
  const env = {
    PATH: process.env['PATH'] ?? '',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
  };
  // What unshare says of itself, when its child is killed for one, is no output of the step.
  const said = join(folder, 'unshare');
  const ownErrors = openSync(said, 'wx', 0o600);
  const args = [...namespaces, '--propagation', 'private', '--fork', '--kill-child', '--'];
  const start = (): StartedChild =>
    startChild(
      { file: 'unshare', name: 'unshare' },
      [...args, process.execPath, NAMESPACES_INIT, specPath],
      streams,
      env,
      ownErrors,
    );
  const child = cgroup === undefined ? start() : cgroup.enterFor(start);
  closeSync(ownErrors);
  running.watch(() => childOf(child.pid), { ...child, resize: terminal && (() => terminal.resize()) });
  const end = await child.ended;
  if (running.isKilled) throw new RuntimeError('aborted', 'the step was cancelled');
  if (end.kind === 'not-started') {
    const isMissing = end.code === 'ENOENT';
    return { kind: 'refused', reason: isMissing ? 'unshare(1) of util-linux is not installed' : end.code };
  }
  const reason = readFileSync(problem, 'utf8') || refusalIn(readFileSync(said, 'utf8'));
  if (reason !== '') return { kind: 'refused', reason };
  return {
    kind: 'ended',
    exitCode: end.kind === 'exited' ? end.exitCode : 128 + constants.signals[end.signal],
  };
}

/** The terminal of a sandbox has a name in it, as with docker. */
function consoleOf({ systemMounts }: PreparedSandbox, { path }: ShownTerminal): BindMount {
  return { source: path, target: `${devicePath(systemMounts)}/console`, isReadOnly: false };
}

/** What unshare(1) could not do; nothing where it only could not end as its child did. */
function refusalIn(said: string): string {
  return /^unshare: (?!sigprocmask).*$/m.exec(said)?.[0] ?? '';
}

/** The process that unshare(1) started: the first one of the sandbox, as seen from here. */
function childOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')[0]);
    return child > 1 ? child : undefined;
  } catch {
    return undefined;
  }
}
