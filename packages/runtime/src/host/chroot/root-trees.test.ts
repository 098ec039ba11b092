import { EventEmitter } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { THREADS_HINT } from '../../errors.ts';
import { RootTrees } from './root-trees.ts';

/** What a machine does that has no thread to give: it says so at once, or a little later. */
const machine = { isRefusingAtOnce: false };

class FakeWorker extends EventEmitter {
  constructor() {
    super();
    if (machine.isRefusingAtOnce) throw new Error('EAGAIN');
    setImmediate(() => this.emit('error', new Error('EAGAIN')));
  }
  postMessage(): void {}
}

vi.mock('node:worker_threads', async (original) => ({
  ...(await original<object>()),
  get Worker() {
    return FakeWorker;
  },
}));

afterEach(() => void (machine.isRefusingAtOnce = false));

const TOLD = {
  code: 'sandbox-failed',
  message: 'the thread that copies files has ended: EAGAIN',
  hint: THREADS_HINT,
};

test('a thread that cannot be had is told to whoever waits for it, and who asks later', async () => {
  const trees = new RootTrees(true);
  await expect(trees.drop('/root')).rejects.toMatchObject(TOLD);
  await expect(trees.drop('/root')).rejects.toMatchObject(TOLD);
});

test('one that is refused at once is told, too', () => {
  machine.isRefusingAtOnce = true;
  expect(() => new RootTrees(true)).toThrow(expect.objectContaining(TOLD));
});
