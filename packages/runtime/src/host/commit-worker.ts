import { writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { diffLayer, encodeToc, hostPath } from '@caisson/layer';
import { errorCode } from '@caisson/sys';
import type { CommitReply, CommitTask } from './committer.ts';

/* The thread that makes layers: one task after another, all calls synchronous, which is the fastest way to read many small files. */

parentPort?.on('message', (task: CommitTask) => parentPort?.postMessage(commit(task)));

function commit({ upper, before, tar, toc, latest }: CommitTask): CommitReply {
  try {
    const written = diffLayer({
      upper: hostPath(upper),
      before: before === undefined ? undefined : hostPath(before),
      output: hostPath(tar),
      ...(latest === undefined ? {} : { latest }),
    });
    writeFileSync(toc, encodeToc(written.toc), { flag: 'wx', mode: 0o600 });
    const { diffId, contentDigest, size } = written;
    return { kind: 'done', layer: { diffId, contentDigest, size } };
  } catch (error) {
    return {
      kind: 'failed',
      message: error instanceof Error ? error.message : String(error),
      code: errorCode(error),
    };
  }
}
