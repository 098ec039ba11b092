import { closeOnExecFrom } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import { isHostRequest, type HostError, type HostMessage, type HostRequest } from '../host-protocol.ts';
import { Committer } from './committer.ts';
import { whyMapsCannotBeMounted } from './probe-maps.ts';
import { Running } from './running.ts';
import { runSandbox, type Host } from './sandbox.ts';
import { Workspace } from './workspace.ts';

/*
 * The sandbox host: the one process that owns all mounts and sandboxes of a build. It starts in mount and pid
 * namespaces of its own, as their first process, and ends with the channel to the builder; then the kernel takes away
 * whatever is left, mounts and processes alike.
 */

const running = new Map<number, Running>();

function main(folder: string): void {
  closeOnExecFrom(3);
  // The builder decides what an interrupt means; it asks for sandboxes to be ended.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit());
  const host = { workspace: new Workspace(folder), committer: new Committer() };
  process.on('message', (message) => {
    if (isHostRequest(message)) take(host, message);
  });
  void send({ kind: 'ready' });
}

function take(host: Host, message: HostRequest): void {
  switch (message.kind) {
    case 'run':
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

async function run(host: Host, { id, request }: Extract<HostRequest, { kind: 'run' }>): Promise<void> {
  const sandbox = new Running();
  running.set(id, sandbox);
  if (request.commit !== undefined) host.committer.warmUp();
  try {
    const result = await runSandbox(host, request, sandbox, (stream, data) =>
      send({ kind: 'output', id, stream, data }),
    );
    await send({ kind: 'result', id, result });
  } catch (error) {
    await send({ kind: 'error', id, error: asHostError(error) });
  } finally {
    running.delete(id);
  }
}

function probe({ workspace }: Host, { id, folder: at }: Extract<HostRequest, { kind: 'probe-maps' }>): void {
  try {
    void send({ kind: 'probed', id, whyNot: whyMapsCannotBeMounted(workspace, at) });
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
    code: 'sandbox-failed',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

/** Resolves when the channel may be given more: a step that writes much waits for whoever reads. */
function send(message: HostMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });
}

const folder = process.argv[2];
if (folder === undefined) throw new Error('Internal error: the sandbox host needs a folder');
main(folder);
