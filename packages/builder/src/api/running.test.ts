import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { EventBounds } from './event-bounds.ts';
import { Running } from './running.ts';

/** Room for ten numbers; those below zero are never lost. */
const FEW: EventBounds<number> = {
  most: 10,
  sizeOf: (number) => (number < 0 ? 0 : 1),
  instead: (count) => count / 1000,
};

/** Work that counts to three, and then ends as it is told. */
function counting(end: () => string): Running<number, string> {
  return new Running(FEW, async (emit) => {
    for (const number of [1, 2, 3]) {
      await Promise.resolve();
      emit(number);
    }
    return end();
  });
}

async function taken(items: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('work that goes on', () => {
  test('is a promise of its result', async () => {
    await expect(counting(() => 'done')).resolves.toBe('done');
  });

  test('tells what happens to all iterators that are made in the same tick, and gives its result besides', async () => {
    const work = counting(() => 'done');
    const all = await Promise.all([taken(work), taken(work), work]);
    expect(all).toStrictEqual([[1, 2, 3], [1, 2, 3], 'done']);
  });

  test('keeps nothing for an iterator that comes when all is over', async () => {
    const work = counting(() => 'done');
    await work;
    expect(await taken(work)).toStrictEqual([]);
  });

  test('goes on when an iterator stops in the middle', async () => {
    const work = counting(() => 'done');
    for await (const number of work) if (number === 2) break;
    await expect(work).resolves.toBe('done');
  });

  test('that fails is told by iterators behind the last event, once, and by the promise', async () => {
    const work = counting(() => {
      throw new Error('broken');
    });
    const iterator = work[Symbol.asyncIterator]();
    const seen: number[] = [];
    const failed = (async () => {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        seen.push(next.value);
    })();
    await expect(failed).rejects.toThrow('broken');
    expect(seen).toStrictEqual([1, 2, 3]);
    expect(await iterator.next()).toStrictEqual({ done: true, value: undefined });
    await expect(work).rejects.toThrow('broken');
  });

  test('answers all who ask at once, in order', async () => {
    const iterator = counting(() => 'done')[Symbol.asyncIterator]();
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => iterator.next()));
    expect(all.map(({ value }) => value)).toStrictEqual([1, 2, 3, undefined, undefined]);
  });

  test('does not trouble the process where only an iterator hears of its failure', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      const work = counting(() => {
        throw new Error('broken');
      });
      await expect(taken(work)).rejects.toThrow('broken');
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unhandled).toStrictEqual([]);
  });

  test('loses what would take too much memory, and tells how much, in its place', async () => {
    const told: ((event: number) => void)[] = [];
    const gate = Promise.withResolvers<string>();
    const work = new Running<number, string>(FEW, (given) => {
      told.push(given);
      return gate.promise;
    });
    const emitAll = (numbers: readonly number[]): void => {
      for (const number of numbers) told[0]?.(number);
    };
    const slow = work[Symbol.asyncIterator]();
    const fast = work[Symbol.asyncIterator]();
    const first = fast.next();
    emitAll([...Array(15).keys(), -1, 15, 16]);
    expect(await first).toStrictEqual({ done: false, value: 0 });
    const all: unknown[] = [];
    for (let count = 0; count < 5; count++) all.push((await slow.next()).value);
    emitAll([17]); // there is room again
    gate.resolve('done');
    await work;
    for (let next = await slow.next(); next.done !== true; next = await slow.next()) all.push(next.value);
    expect(all).toStrictEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0.005, -1, 0.002, 17]);
  });

  test('gives all of very many events, in order', async () => {
    const numbers = [...Array(5000).keys()].map((number) => -1 - number);
    const work = new Running(FEW, async (emit) => {
      await Promise.resolve();
      for (const number of numbers) emit(number);
    });
    expect(await taken(work)).toStrictEqual(numbers);
  });
});

describe('work that is disposed of', () => {
  test('is told to end, and waited for; that it was ended need not be heard', async () => {
    const happened: string[] = [];
    {
      await using _work = new Running<number, void>(FEW, async (_emit, end) => {
        await once(end, 'abort');
        await setImmediate();
        happened.push('ended');
        throw new Error('cancelled');
      });
      happened.push('block');
    }
    expect(happened).toEqual(['block', 'ended']);
  });

  test('that is done stays as it is', async () => {
    const work = counting(() => 'done');
    await work;
    await work[Symbol.asyncDispose]();
    await expect(work).resolves.toBe('done');
  });
});
