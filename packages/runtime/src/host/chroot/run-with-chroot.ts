import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Capability } from '@caisson/sys';
import { CHROOT_INIT, START_MS } from '../../entry-points.ts';
import { RuntimeError, THREADS_HINT } from '../../errors.ts';
import type { ProgramInit } from '../../init/init-spec.ts';
import { startChild } from '../child.ts';
import type { PreparedSandbox } from '../prepared-sandbox.ts';
import { sendSignal, type Running } from '../running.ts';
import type { NamedOutput } from './named-output.ts';
import { endProcessesIn } from './processes-in.ts';

/**
 * Runs a program in a folder: a short program of ours makes that its root, gives up what it does not need, and becomes
 * the step's program.
 * @returns its exit code, when all that it started has ended too
 * @throws RuntimeError
 */
export async function runWithChroot(
  sandbox: PreparedSandbox,
  capabilities: readonly Capability[],
  output: NamedOutput,
  running: Running,
): Promise<number> {
  const { terminal } = output.streams;
  const { spec, folder, root, executable, env, account } = sandbox;
  const problem = join(folder, 'problem');
  const init: ProgramInit = {
    root,
    executable,
    args: spec.args,
    env,
    cwd: spec.cwd,
    identity: { uid: account.uid, gid: account.gid, groups: account.groups },
    capabilities,
    ulimits: spec.limits?.ulimits ?? [],
    hasTerminal: terminal !== undefined,
    problem,
  };
  const specPath = join(folder, 'init.json');
  writeFileSync(specPath, JSON.stringify(init), { mode: 0o600 });
  closeSync(openSync(problem, 'wx', 0o600));
  const program = { file: process.execPath, name: process.execPath };
  const child = startChild(program, [CHROOT_INIT, specPath], output.streams, {
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
  });
  const { pid, ended } = child;
  running.watch(() => pid, { ended, resize: terminal && (() => terminal.resize()) });
  const start = watchStart(pid);
  const end = await ended;
  start.over();
  await endProcessesIn(root);
  output.end();
  await output.streams.drained;
  if (running.isKilled) throw new RuntimeError('aborted', 'the step was cancelled');
  if (start.isStuck()) {
    const message = `no sandbox could be made: chroot: Node did not come up in ${START_MS / 1000} seconds`;
    throw new RuntimeError('sandbox-failed', message, { hint: THREADS_HINT });
  }
  const reason = end.kind === 'not-started' ? end.code : readFileSync(problem, 'utf8');
  if (end.kind === 'not-started' || reason !== '')
    throw new RuntimeError('sandbox-failed', `no sandbox could be made: chroot: ${reason}`);
  return end.kind === 'exited' ? end.exitCode : 128 + constants.signals[end.signal];
}

/** Ends a program of ours that does not even come to make the folder its root. */
function watchStart(pid: number | undefined): { isStuck(): boolean; over(): void } {
  let isStuck = false;
  const timer = setTimeout(() => {
    isStuck = pid !== undefined && rootOf(pid) === rootOf(process.pid);
    if (isStuck && pid !== undefined) sendSignal(pid, 'SIGKILL');
  }, START_MS);
  return { isStuck: () => isStuck, over: () => clearTimeout(timer) };
}

/** Undefined for a process that has given up the rights of this one: it has another. */
function rootOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/root`);
  } catch {
    return undefined;
  }
}
