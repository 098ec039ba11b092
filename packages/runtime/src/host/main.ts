import { closeOnExecFrom, isFull } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import { isHostRequest, type HostError, type HostMessage, type HostRequest } from '../host-protocol.ts';
import { CopyingHost } from './chroot/copying-host.ts';
import type { Host } from './host.ts';
import { MountingHost } from './mounting-host.ts';
import { Running } from './running.ts';

/*
 * The sandbox host: the one process that owns all mounts and sandboxes of a build. It starts in mount and pid
 * namespaces of its own, as their first process, and ends with the channel to the builder; then the kernel takes away
 * whatever is left, mounts and processes alike. Where no namespaces can be made, it copies what it cannot mount, and
 * ends what it started itself.
 */

const running = new Map<number, Running>();

async function main(folder: string, kind: string | undefined, commits: boolean): Promise<void> {
  closeOnExecFrom(3);
  // The builder decides what an interrupt means; it asks for sandboxes to be ended.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP'] as const) process.on(signal, () => {});
  const host = kind === 'copied' ? await openCopying(folder) : new MountingHost(folder);
  if (host === undefined) return;
  process.on('disconnect', () => void end(host));
  process.on('message', (message) => {
    if (isHostRequest(message)) take(host, message);
  });
  if (!process.connected) return end(host);
  void send({ kind: 'ready' });
  if (commits) host.warmUp();
}

/** @returns undefined where it is of no use; the builder is told why */
async function openCopying(folder: string): Promise<Host | undefined> {
  try {
    return new CopyingHost(folder);
  } catch (error) {
    await send({ kind: 'unfit', error: asHostError(error) });
    process.disconnect();
    return undefined;
  }
}

async function end(host: Host): Promise<void> {
  for (const each of running.values()) each.kill();
  await host.end();
  process.exit();
}

function take(host: Host, message: HostRequest): void {
  switch (message.kind) {
    case 'run-mounted':
    case 'run-copied':
      void run(host, message);
      return;
    case 'probe-maps':
      probe(host, message);
      return;
    case 'kill':
      running.get(message.id)?.kill();
      return;
    case 'signal':
      running.get(message.id)?.signal(message.signal);
      return;
  }
}

type RunRequest = Extract<HostRequest, { kind: 'run-mounted' | 'run-copied' }>;

async function run(host: Host, request: RunRequest): Promise<void> {
  const { id } = request;
  const sandbox = new Running();
  running.set(id, sandbox);
  try {
    const result = await host.run(request, sandbox, (stream, data) =>
      send({ kind: 'output', id, stream, data }),
    );
    await send({ kind: 'result', id, result });
  } catch (error) {
    await send({ kind: 'error', id, error: asHostError(error) });
  } finally {
    running.delete(id);
  }
}

function probe(host: Host, { id, folder: at }: Extract<HostRequest, { kind: 'probe-maps' }>): void {
  try {
    void send({ kind: 'probed', id, whyNot: host.whyMapsCannotBeMounted(at) });
  } catch (error) {
    void send({ kind: 'error', id, error: asHostError(error) });
  }
}

function asHostError(error: unknown): HostError {
  if (error instanceof RuntimeError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    };
  }
  return {
    code: isFull(error) ? 'no-space' : 'sandbox-failed',
    message: textOf(error),
  };
}

/** Of what is none of the system's doing, where it comes from. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'syscall' in error ? error.message : (error.stack ?? error.message);
}

/** Resolves when the channel may be given more: a step that writes much waits for whoever reads. */
function send(message: HostMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}

const [, , folder, kind, commits] = process.argv;
if (folder === undefined) throw new Error('Internal error: the sandbox host needs a folder');
void main(folder, kind, commits !== undefined);
