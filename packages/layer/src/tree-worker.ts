import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { errorCode } from '@caisson/sys';
import { applyLayer } from './apply.ts';
import { fsPath, type HostPath } from './byte-path.ts';
import type { TreeMessage, TreeReply } from './tree-thread.ts';
import { ChainView } from './view.ts';

/* The thread that makes the tree of one layer from a tar that is still being written. */

const CHUNK = 1 << 20;

/** How much of the tar there is. */
const written = { end: 0, isAll: false, onMore: (): void => {} };

parentPort?.on('message', (message: TreeMessage) => {
  if (message.kind === 'begin') {
    void makeTree(message.tar, message.tree).then((reply) => parentPort?.postMessage(reply));
    return;
  }
  written.end = message.end;
  written.isAll = message.isAll;
  written.onMore();
  if (message.isAll) parentPort?.unref();
});

/** The bytes of the tar, as they come. */
async function* follow(tar: HostPath): AsyncGenerator<Uint8Array> {
  while (written.end === 0) await more();
  const fd = openSync(fsPath(tar), 'r');
  try {
    for (let at = 0; at < written.end || !written.isAll;) {
      if (at === written.end) await more();
      // Zeros at the end are a hole that the file does not reach to yet. What is there in truth, the digest says.
      const chunk = Buffer.alloc(Math.min(CHUNK, written.end - at));
      for (let read = -1, filled = 0; read !== 0 && filled < chunk.length; filled += read)
        read = readSync(fd, chunk, filled, chunk.length - filled, at + filled);
      at += chunk.length;
      yield chunk;
    }
  } finally {
    closeSync(fd);
  }
}

function more(): Promise<void> {
  return new Promise((resolve) => (written.onMore = resolve));
}

async function makeTree(tar: HostPath, tree: HostPath): Promise<TreeReply> {
  try {
    // What we write brings all folders that something lies in: it needs nothing of the layers below.
    const { diffId } = await applyLayer({ source: follow(tar), below: new ChainView([]), tree });
    return { kind: 'done', diffId };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', message, code: errorCode(error) };
  }
}
