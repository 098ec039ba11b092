import { parentPort } from 'node:worker_threads';
import { errorCode } from '@caisson/sys';
import { BlockRing } from './block-ring.ts';
import type { HostPath } from './byte-path.ts';
import { TarFile } from './tar-file.ts';
import type { TarReply, TarTask } from './tar-thread.ts';

/* The thread that hashes and writes a tar, which another one puts together. */

parentPort?.once('message', ({ memory, port, path }: TarTask) => {
  const ring = new BlockRing(memory);
  try {
    port.postMessage(write(path, ring));
  } finally {
    ring.end();
  }
});

/** @returns undefined where the tar was given up */
function write(path: HostPath, ring: BlockRing): TarReply | undefined {
  try {
    const file = new TarFile(path);
    for (;;) {
      const block = ring.toEmpty();
      if (block === 'given-up') {
        file.abandon();
        return undefined;
      }
      if (block.length === 0) return { kind: 'done', sum: file.finish() };
      file.append(block);
      ring.hasEmptied();
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', message, code: errorCode(error) };
  }
}
