import { parentPort } from 'node:worker_threads';
import { Digester } from '@caisson/oci';
import { errorCode } from '@caisson/sys';
import { BLOCK_SIZE, BlockRing } from './block-ring.ts';
import { decompressed } from './decompress.ts';
import type { DecompressReply, DecompressTask } from './decompress-thread.ts';
import { LayerError } from './errors.ts';

/* The thread that decompresses and hashes a layer, which another one fetches and reads. */

// Listening goes on, for it keeps the thread alive: what it waits for does not.
parentPort?.on('message', ({ compressed, plain }: DecompressTask) => {
  void answer(new BlockRing(compressed), new BlockRing(plain));
});

async function answer(input: BlockRing, output: BlockRing): Promise<void> {
  parentPort?.postMessage(await decompress(input, output));
  fill(output, new Uint8Array(0)); // the last
}

async function decompress(input: BlockRing, output: BlockRing): Promise<DecompressReply> {
  const digester = new Digester();
  try {
    for await (const bytes of decompressed(blocksOf(input))) {
      digester.update(bytes);
      for (let at = 0; at < bytes.length; at += BLOCK_SIZE) fill(output, bytes.subarray(at, at + BLOCK_SIZE));
    }
    return { kind: 'done', sum: { digest: digester.digest(), size: digester.size } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof LayerError) return { kind: 'unusable', code: error.code, message };
    return { kind: 'failed', message, code: errorCode(error) };
  }
}

async function* blocksOf(input: BlockRing): AsyncGenerator<Uint8Array> {
  for (;;) {
    const block = await input.willEmpty();
    if (block === 'given-up' || block.length === 0) return;
    const bytes = Buffer.from(block); // whoever decompresses may keep it for longer
    input.hasEmptied();
    yield bytes;
  }
}

/** Waits for room without its event loop: what is being decompressed goes on in a thread of Node's pool. */
function fill(output: BlockRing, bytes: Uint8Array): void {
  for (;;) {
    const { emptied } = output;
    const block = output.toFill;
    if (block !== undefined) {
      block.set(bytes);
      output.filled(bytes.length);
      return;
    }
    output.waitForMore(emptied, Infinity);
  }
}
