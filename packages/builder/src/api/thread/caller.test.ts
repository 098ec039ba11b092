import { EventEmitter } from 'node:events';
import { expect, test, vi } from 'vitest';
import { CaissonError } from '../error.ts';
import { inThread } from './caller.ts';
import type { ToThread } from './protocol.ts';

/** The threads that were started, none of which does anything. */
const threads: FakeWorker[] = [];
/** What the next ones are refused with. */
const refusals: Error[] = [];

class FakeWorker extends EventEmitter {
  readonly told: ToThread[] = [];

  constructor() {
    super();
    const refusal = refusals.pop();
    if (refusal !== undefined) throw refusal;
    threads.push(this);
  }

  postMessage(message: ToThread): void {
    this.told.push(message);
  }

  ref(): void {}
  unref(): void {}
  async terminate(): Promise<void> {}
}

vi.mock('node:worker_threads', async (original) => ({
  ...(await original<object>()),
  get Worker() {
    return FakeWorker;
  },
}));

const job = () => inThread<'images'>({ kind: 'images', root: '/store' });

test('a thread that broke is replaced once, though it ends only later', async () => {
  const first = job();
  threads[0]?.emit('error', new Error('it broke'));
  await expect(first).rejects.toThrow('it broke');
  const jobs = [job()];
  threads[0]?.emit('exit', 1);
  jobs.push(job());
  expect(threads.map(({ told }) => told.map(({ kind }) => kind))).toEqual([['begin'], ['begin', 'begin']]);
  for (const id of [1, 2])
    threads[1]?.emit('message', { id, kind: 'done', outcome: { kind: 'images', value: [] } });
  expect(await Promise.all(jobs)).toEqual([
    { kind: 'images', value: [] },
    { kind: 'images', value: [] },
  ]);
});

test('a thread that cannot be had is an error with a code, and the next job asks for one again', async () => {
  threads.at(-1)?.emit('exit', 1);
  refusals.push(new Error('EAGAIN'));
  const error = await job().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CaissonError);
  expect(error).toMatchObject({
    code: 'thread-ended',
    message: 'the thread that works for this process cannot be started: EAGAIN',
  });
  const next = job();
  threads.at(-1)?.emit('message', { id: 1, kind: 'done', outcome: { kind: 'images', value: [] } });
  expect(await next).toEqual({ kind: 'images', value: [] });
});
