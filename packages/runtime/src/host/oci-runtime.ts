import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inUserNamespace, mount, MOUNT } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import { DEVICES } from '../profile.ts';
import type { OciRuntimeName } from '../sandbox-spec.ts';
import type { SandboxCgroup } from './cgroup.ts';
import { startChild, type StartedChild } from './child.ts';
import { ociConfig } from './oci-config.ts';
import type { StandardStreams } from './output.ts';
import type { PreparedSandbox } from './prepared-sandbox.ts';
import { SAID } from './received-terminal.ts';
import { sendSignal, type Running, type Started } from './running.ts';
import { mountsHere, type Workspace } from './workspace.ts';

/**
 * Runs a sandbox with crun or runc. Neither makes cgroups: where a limit asks for one, they are started in it.
 */
export async function runWithOciRuntime(
  name: OciRuntimeName,
  sandbox: PreparedSandbox,
  streams: StandardStreams,
  workspace: Workspace,
  running: Running,
  cgroup: SandboxCgroup | undefined,
): Promise<Started> {
  const config = {
    ...ociConfig(withoutOwnDevices(name, sandbox)),
    annotations: name === 'crun' ? workspace.filter.annotations : {},
  };
  writeFileSync(join(sandbox.folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
  const pidFile = join(sandbox.folder, 'pid');
  const log = join(sandbox.folder, 'log');
  if (name === 'runc') closeCgroups(workspace);
  const env = { PATH: process.env['PATH'] ?? '', XDG_RUNTIME_DIR: workspace.runtimeState };
  const args = runtimeArguments(name, workspace, sandbox, {
    pidFile,
    log,
    console: streams.terminal?.path,
  });
  const start = (): StartedChild => startChild(workspace.program(name), args, streams, env);
  const child = cgroup === undefined ? start() : cgroup.enterFor(start);
  const { pid, ended } = child;
  const { terminal } = streams;
  // runc stands between the caller's terminal and that of the program itself.
  const isPassedOn = terminal === undefined && pid !== undefined;
  const resize = isPassedOn ? () => sendSignal(pid, 'SIGWINCH') : () => terminal?.resize();
  running.watch(() => readPid(pidFile), {
    ended,
    resize: sandbox.spec.stdio === 'terminal' ? resize : undefined,
    runtime: pid,
  });
  if (name === 'crun') {
    const made = join(workspace.runtimeState, sandbox.id);
    workspace.filter.takeFrom(made, () => readPid(pidFile) !== undefined, ended);
  }
  const end = await ended;
  if (running.isKilled) throw new RuntimeError('aborted', 'the step was cancelled');
  if (end.kind === 'not-started') {
    return { kind: 'refused', reason: end.code === 'ENOENT' ? `${name} is not installed` : end.code };
  }
  if (readPid(pidFile) === undefined)
    return {
      kind: 'refused',
      reason: lastLine(log) || lastLine(join(sandbox.folder, SAID)) || 'it said nothing',
    };
  if (end.kind === 'signalled') {
    throw new RuntimeError('sandbox-failed', `${name} was ended by ${end.signal} while the step ran`);
  }
  return { kind: 'ended', exitCode: end.exitCode };
}

/**
 * In a user namespace runc mounts the devices that every sandbox has by itself, and opens what is there already: /dev/tty
 * cannot be opened where there is no terminal.
 */
function withoutOwnDevices(name: OciRuntimeName, sandbox: PreparedSandbox): PreparedSandbox {
  if (name !== 'runc' || !inUserNamespace()) return sandbox;
  const devices = new Set(DEVICES.map((device) => `/dev/${device}`));
  return { ...sandbox, binds: sandbox.binds.filter(({ source }) => !devices.has(source)) };
}

function runtimeArguments(
  name: OciRuntimeName,
  workspace: Workspace,
  { id, folder }: PreparedSandbox,
  files: { readonly pidFile: string; readonly log: string; readonly console: string | undefined },
): string[] {
  const common = ['--root', workspace.runtimeState, '--log', files.log];
  const console = files.console === undefined ? [] : ['--console-socket', files.console];
  const run = ['run', '--bundle', folder, '--pid-file', files.pidFile, ...console, id];
  switch (name) {
    case 'crun':
      return [...common, '--cgroup-manager=disabled', ...run];
    case 'runc':
      return [...common, '--rootless', 'true', ...run];
  }
}

/** With its hierarchies read-only here, runc (which is told that it may lack the right) goes on without cgroups. */
function closeCgroups({ folder }: Workspace): void {
  if (inUserNamespace()) return; // nobody may write to them anyway
  for (const { target, type } of mountsHere()) {
    if (!type.startsWith('cgroup') || target.startsWith(folder)) continue;
    mount({ target, flags: MOUNT.bind | MOUNT.remount | MOUNT.readOnly });
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'latin1'));
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing where there is none. */
function lastLine(log: string): string {
  try {
    const line = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
    return /msg="?(.*?)"?$/.exec(line)?.[1] ?? line;
  } catch {
    return '';
  }
}
