import { writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { diffLayer, encodeToc, hostPath } from '@caisson/layer';
import { beginSync, errorCode, loadLibc } from '@caisson/sys';
import type { CommitMessage, CommitReply } from './committer.ts';

/* The thread that makes layers: one task after another, all calls synchronous, which is the fastest way to read many small files. */

loadLibc();
parentPort?.on('message', (message: CommitMessage) => parentPort?.postMessage(commit(message)));

/**
 * In bytes. Above this, what the step left in memory is written to the disk while it is read: else the barrier at the end
 * of the build would wait for it.
 */
const LARGE = 32 << 20;

/** Thrown where the layer is not wanted any more. */
const CANCELLED = new Error('cancelled');

function commit({ id, task, isCancelled }: CommitMessage): CommitReply {
  const { upper, before, tar, toc, latest } = task;
  try {
    const written = diffLayer({
      upper: hostPath(upper),
      before: before === undefined ? undefined : hostPath(before),
      output: hostPath(tar),
      onSize: (bytes) => {
        if (bytes >= LARGE) beginSync(upper);
      },
      checkpoint: () => {
        if (Atomics.load(isCancelled, 0) !== 0) throw CANCELLED;
      },
      ...(latest === undefined ? {} : { latest }),
    });
    writeFileSync(toc, encodeToc(written.toc), { flag: 'wx', mode: 0o600 });
    const { diffId, contentDigest, size } = written;
    return { kind: 'done', id, layer: { diffId, contentDigest, size } };
  } catch (error) {
    if (error === CANCELLED) return { kind: 'cancelled', id };
    return {
      kind: 'failed',
      id,
      message: error instanceof Error ? error.message : String(error),
      code: errorCode(error),
    };
  }
}
