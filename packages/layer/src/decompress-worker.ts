import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { Digester } from '@caisson/oci';
import { errorCode } from '@caisson/sys';
import { BLOCK_SIZE, BlockRing } from './block-ring.ts';
import { decompressed } from './decompress.ts';
import type { DecompressReply, DecompressTask } from './decompress-thread.ts';
import { LayerError } from './errors.ts';

/* The thread that decompresses and hashes a layer, which another one fetches and reads. */

// Listening goes on, for it keeps the thread alive: what it waits for does not.
parentPort?.on('message', ({ from, plain }: DecompressTask) => {
  void answer(from, new BlockRing(plain));
});

async function answer(from: DecompressTask['from'], output: BlockRing): Promise<void> {
  parentPort?.postMessage(await decompress(from, output));
  fill(output, new Uint8Array(0)); // the last
}

async function decompress(from: DecompressTask['from'], output: BlockRing): Promise<DecompressReply> {
  const digester = new Digester();
  try {
    if (typeof from === 'number') passOn(from, output, digester);
    else {
      for await (const bytes of decompressed(blocksOf(new BlockRing(from)))) {
        digester.update(bytes);
        for (let at = 0; at < bytes.length; at += BLOCK_SIZE)
          fill(output, bytes.subarray(at, at + BLOCK_SIZE));
      }
    }
    return { kind: 'done', sum: { digest: digester.digest(), size: digester.size } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof LayerError) return { kind: 'unusable', code: error.code, message };
    return { kind: 'failed', message, code: errorCode(error) };
  }
}

/** Reads all of what a program writes, into the memory where it is wanted. */
function passOn(descriptor: number, output: BlockRing, digester: Digester): void {
  for (;;) {
    const block = blockOf(output);
    const length = readInto(block, descriptor);
    if (length === 0) return;
    digester.update(block.subarray(0, length));
    output.filled(length);
  }
}

/** How long it is waited for more, in milliseconds: less than a pipe takes to be full. */
const PATIENCE = 1;

/** Reads what is there. To wait for it in a read would keep the process from ending: nothing ends a thread in one. */
function readInto(block: Buffer, descriptor: number): number {
  for (;;) {
    try {
      return readSync(descriptor, block);
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') throw error;
      Atomics.wait(NOTHING, 0, 0, PATIENCE);
    }
  }
}

/** Never changes. */
const NOTHING = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

async function* blocksOf(input: BlockRing): AsyncGenerator<Uint8Array> {
  for (;;) {
    const block = await input.willEmpty();
    if (block === 'given-up' || block.length === 0) return;
    const bytes = Buffer.from(block); // whoever decompresses may keep it for longer
    input.hasEmptied();
    yield bytes;
  }
}

function fill(output: BlockRing, bytes: Uint8Array): void {
  blockOf(output).set(bytes);
  output.filled(bytes.length);
}

/** Waits for room without its event loop: what is being decompressed goes on in a thread of Node's pool. */
function blockOf(output: BlockRing): Buffer {
  for (;;) {
    const { emptied } = output;
    const block = output.toFill;
    if (block !== undefined) return block;
    output.waitForMore(emptied, Infinity);
  }
}
