import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { BlockRing } from './block-ring.ts';

const RING = new URL('./block-ring.ts', import.meta.url).href;
const COUNT = 300_000;

/** Empties a ring in a thread of its own, and says what it found in the blocks: numbers that follow each other. */
const EMPTYING = `
  import { parentPort, workerData } from 'node:worker_threads';
  const { BlockRing } = await import(${JSON.stringify(RING)});
  const ring = new BlockRing(workerData.memory);
  parentPort.on('message', () => {}); // a promise of a ring keeps no thread alive
  let count = 0;
  let wrong = 0;
  for (;;) {
    const block = workerData.isWaiting ? ring.toEmpty() : await ring.willEmpty();
    if (block.length === 0) break;
    if (block.length !== 4 || block.readUInt32LE(0) !== count) wrong++;
    count++;
    ring.hasEmptied();
  }
  parentPort.postMessage({ count, wrong });
`;

test.each([
  ['waits without its event loop', true],
  ['waits by a promise', false],
])('every block comes once, in order, to a thread that %s', { timeout: 60_000 }, async (_how, isWaiting) => {
  const ring = new BlockRing();
  const code = new URL(`data:text/javascript,${encodeURIComponent(EMPTYING)}`);
  const worker = new Worker(code, { workerData: { memory: ring.memory, isWaiting } });
  const told = once(worker, 'message');
  for (let number = 0; number <= COUNT; number++) {
    const block = await ring.willFill();
    block?.writeUInt32LE(number);
    ring.filled(number === COUNT ? 0 : 4);
  }
  expect(await told).toEqual([{ count: COUNT, wrong: 0 }]);
  await worker.terminate();
});

test('who fills is told that nothing more is emptied', async () => {
  const ring = new BlockRing();
  const other = new BlockRing(ring.memory);
  while (ring.toFill !== undefined) ring.filled(1);
  const waiting = ring.willFill();
  other.end();
  expect(await waiting).toBeUndefined();
});
