import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mount, MOUNT } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import type { OciRuntimeName } from '../sandbox-spec.ts';
import { startChild } from './child.ts';
import { ociConfig } from './oci-config.ts';
import type { StandardStreams } from './output.ts';
import type { PreparedSandbox } from './prepared-sandbox.ts';
import type { Running, Started } from './running.ts';
import { mountsHere, type Workspace } from './workspace.ts';

/**
 * Runs a sandbox with crun or runc. Neither makes cgroups: no limit asks for them, and one that was killed would
 * leave some behind.
 */
export async function runWithOciRuntime(
  name: OciRuntimeName,
  sandbox: PreparedSandbox,
  streams: StandardStreams,
  workspace: Workspace,
  running: Running,
): Promise<Started> {
  writeFileSync(join(sandbox.folder, 'config.json'), JSON.stringify(ociConfig(sandbox)), { mode: 0o600 });
  const pidFile = join(sandbox.folder, 'pid');
  const log = join(sandbox.folder, 'log');
  if (name === 'runc') closeCgroups();
  const env = { PATH: process.env['PATH'] ?? '', XDG_RUNTIME_DIR: workspace.runtimeState };
  const child = startChild(name, runtimeArguments(name, workspace, sandbox, { pidFile, log }), streams, env);
  running.watch(() => readPid(pidFile));
  const end = await child.ended;
  if (running.isKilled) throw new RuntimeError('aborted', 'the step was cancelled');
  if (end.kind === 'not-started') {
    return { kind: 'refused', reason: end.code === 'ENOENT' ? `${name} is not installed` : end.code };
  }
  if (readPid(pidFile) === undefined) return { kind: 'refused', reason: lastLine(log) };
  if (end.kind === 'signalled') {
    throw new RuntimeError('sandbox-failed', `${name} was ended by ${end.signal} while the step ran`);
  }
  return { kind: 'ended', exitCode: end.exitCode };
}

function runtimeArguments(
  name: OciRuntimeName,
  workspace: Workspace,
  { id, folder }: PreparedSandbox,
  { pidFile, log }: { readonly pidFile: string; readonly log: string },
): string[] {
  const common = ['--root', workspace.runtimeState, '--log', log];
  const run = ['run', '--bundle', folder, '--pid-file', pidFile, id];
  switch (name) {
    case 'crun':
      return [...common, '--cgroup-manager=disabled', ...run];
    case 'runc':
      return [...common, '--rootless', 'true', ...run];
  }
}

/** With its hierarchies read-only here, runc (which is told that it may lack the right) goes on without cgroups. */
function closeCgroups(): void {
  for (const { target, type } of mountsHere()) {
    if (!type.startsWith('cgroup')) continue;
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

function lastLine(log: string): string {
  try {
    const line = readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
    return /msg="?(.*?)"?$/.exec(line)?.[1] ?? line;
  } catch {
    return 'it said nothing';
  }
}
