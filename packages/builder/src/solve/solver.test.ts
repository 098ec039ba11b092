import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { stepKey, type StepKey } from './key.ts';
import type { Keyed } from './op.ts';
import { ToyOp } from './toy-op.ts';
import { Solver } from './solver.ts';

/** An op whose result is known. */
class ConstantOp extends ToyOp {
  override async key(): Promise<Keyed<string>> {
    return { kind: 'result', result: 'given' };
  }
}

const solver = (jobs = 4): Solver<string> => new Solver<string>({ jobs });

describe('Solver', () => {
  it('runs what an op needs first, and each op of a diamond once', async () => {
    const bottom = new ToyOp('bottom');
    const left = new ToyOp('left', [bottom]);
    const right = new ToyOp('right', [bottom]);
    const top = new ToyOp('top', [left, right]);
    expect(await solver().solve(top)).toBe('top(left(bottom()),right(bottom()))');
    expect([bottom, left, right, top].map((op) => op.calls)).toStrictEqual(
      [1, 2, 3, 4].map(() => ({ key: 1, find: 1, execute: 1 })),
    );
  });

  it('executes nothing that the cache has', async () => {
    const cache = new Map<StepKey, string>();
    await solver().solve(new ToyOp('b', [new ToyOp('a', [], cache)], cache));
    const a = new ToyOp('a', [], cache);
    const b = new ToyOp('b', [a], cache);
    expect(await solver().solve(b)).toBe('b(a())');
    expect([a.calls.execute, b.calls.execute]).toStrictEqual([0, 0]);
    expect(a.log).toStrictEqual(['hit']);
  });

  it('executes again only what stands behind a change', async () => {
    const cache = new Map<StepKey, string>();
    await solver().solve(new ToyOp('c', [new ToyOp('a', [], cache), new ToyOp('b', [], cache)], cache));
    const a = new ToyOp('a', [], cache);
    const changed = new ToyOp('b2', [], cache);
    const c = new ToyOp('c', [a, changed], cache);
    await solver().solve(c);
    expect([a, changed, c].map((op) => op.calls.execute)).toStrictEqual([0, 1, 1]);
  });

  it('cuts off behind an op that ran and gave the same result', async () => {
    const cache = new Map<StepKey, string>();
    const record = { op: 'toy', version: 1, name: 'after', inputs: ['same()'] };
    cache.set(stepKey(record), 'from the cache');
    const same = new ToyOp('same');
    const after = new ToyOp('after', [same], cache);
    expect(await solver().solve(after)).toBe('from the cache');
    expect([same.calls.execute, after.calls.execute]).toStrictEqual([1, 0]);
  });

  it('runs independent ops side by side, up to the number of jobs', async () => {
    let now = 0;
    let most = 0;
    const ops = [1, 2, 3, 4, 5, 6].map((n) => {
      const op = new ToyOp(`op${n}`);
      op.work = async () => {
        now++;
        most = Math.max(most, now);
        await sleep(10);
        now--;
      };
      return op;
    });
    await solver(3).solve(new ToyOp('all', ops));
    expect(most).toBe(3);
  });

  it('ends what is going on when an op fails, starts nothing more, and throws that failure', async () => {
    const failing = new ToyOp('failing');
    failing.work = async () => {
      await sleep(5);
      throw new Error('broken');
    };
    const slow = new ToyOp('slow');
    let wasAborted = false;
    slow.work = async (signal) => {
      await sleep(60_000, undefined, { signal }).catch(() => {
        wasAborted = true;
        throw new Error('given up');
      });
    };
    const behind = new ToyOp('behind', [slow]);
    await expect(solver().solve(new ToyOp('all', [failing, behind]))).rejects.toThrow('broken');
    expect(wasAborted).toBe(true);
    expect(slow.log).toStrictEqual(['start', 'cancelled: Error: broken']);
    expect(failing.log).toStrictEqual(['start', 'failure: Error: broken']);
    expect(behind.calls).toStrictEqual({ key: 0, find: 0, execute: 0 });
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    const slow = new ToyOp('slow');
    slow.work = (signal) => sleep(60_000, undefined, { signal });
    const solved = new Solver<string>({ jobs: 1, signal: abort.signal }).solve(slow);
    await sleep(5);
    abort.abort(new Error('enough'));
    await expect(solved).rejects.toThrow(/abort/i);
  });

  it('ends what is useless when it is retired, lets the rest end well, and begins nothing more', async () => {
    const finish = Promise.withResolvers<void>();
    const useful = new ToyOp('useful');
    useful.work = () => finish.promise;
    const useless = new ToyOp('useless');
    useless.work = (signal) => sleep(60_000, undefined, { signal });
    const behind = new ToyOp('behind', [useful]);
    const retired = new Solver<string>({ jobs: 2 });
    const solved = retired.solve(new ToyOp('all', [behind, useless]));
    await vi.waitFor(() => expect(retired.executing.size).toBe(2));
    const keyed = await useful.key([]);
    if (keyed.kind !== 'key') throw new Error('a toy has a key');
    retired.retire(new Set([stepKey(keyed.record)]));
    await vi.waitFor(() => expect(useless.log).toHaveLength(2));
    expect(useful.log).toStrictEqual(['start']);
    finish.resolve();
    await expect(solved).rejects.toThrow('the result is not wanted any more');
    expect(useful.log).toStrictEqual(['start', 'done']);
    expect(useful.cache.size).toBe(1);
    expect(behind.calls.execute).toBe(0);
  });

  it('ends and awaits the search for keys when it is retired', async () => {
    const keyed = Promise.withResolvers<void>();
    let hasEnded = false;
    const slow = new ToyOp('slow');
    slow.keying = async (signal) => {
      keyed.resolve();
      await sleep(60_000, undefined, signal && { signal }).catch(() => {});
      await sleep(20);
      hasEnded = true;
    };
    const retired = solver();
    const solved = retired.solve(new ToyOp('all', [slow]));
    await keyed.promise;
    retired.retire(new Set());
    await expect(solved).rejects.toThrow('the result is not wanted any more');
    expect(hasEnded).toBe(true);
    expect(slow.calls.find).toBe(0);
  });

  it('executes once what several ops have the same key for, whatever the cache says', async () => {
    const same = [new ToyOp('same'), new ToyOp('same')];
    expect(await new Solver<string>({ jobs: 2 }).solve(new ToyOp('all', same))).toBe('all(same(),same())');
    expect(same.map(({ log }) => log)).toStrictEqual([['start', 'done'], ['hit']]);
  });

  it('fails where that does, and ends it when it is retired', async () => {
    const broken = [new ToyOp('same'), new ToyOp('same')];
    for (const op of broken) op.work = () => Promise.reject(new Error('broken'));
    await expect(new Solver<string>({ jobs: 2 }).solve(new ToyOp('all', broken))).rejects.toThrow('broken');
    const same = [new ToyOp('same'), new ToyOp('same')];
    for (const op of same) op.work = (signal) => sleep(60_000, undefined, { signal });
    const retired = new Solver<string>({ jobs: 2 });
    const solved = retired.solve(new ToyOp('all', same));
    await vi.waitFor(() => expect(retired.executing.size).toBe(1));
    retired.retire(new Set());
    await expect(solved).rejects.toThrow('the result is not wanted any more');
    expect(same.map((op) => op.calls.execute)).toStrictEqual([1, 0]);
  });

  it('gives no result once it is retired, even where all of it came to its end', async () => {
    const finish = Promise.withResolvers<void>();
    const last = new ToyOp('last');
    last.work = () => finish.promise;
    const retired = solver();
    const solved = retired.solve(last);
    await vi.waitFor(() => expect(retired.executing.size).toBe(1));
    retired.retire(retired.executing);
    finish.resolve();
    await expect(solved).rejects.toThrow('the result is not wanted any more');
    expect(last.log).toStrictEqual(['start', 'done']);
  });

  it('takes a result that needs no look-up as it is', async () => {
    const constant = new ConstantOp('constant');
    expect(await solver().solve(new ToyOp('top', [constant]))).toBe('top(given)');
    expect(constant.calls).toStrictEqual({ key: 0, find: 0, execute: 0 });
  });

  it('takes a chain of any length', async () => {
    let op = new ConstantOp('first');
    for (let index = 0; index < 50_000; index++) op = new ConstantOp(String(index), [op]);
    expect(await new Solver<string>({ jobs: 2 }).solve(op)).toBe('given');
  });
});
