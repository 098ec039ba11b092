import { expect, test } from 'vitest';
import { LayersUnderWay } from './layers-under-way.ts';

function held(): { work: () => Promise<string>; end: () => void; fail: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { work: () => promise, end: () => resolve('first'), fail: reject };
}

test('work of the same name goes one after another, that of another name does not wait', async () => {
  const layers = new LayersUnderWay();
  const order: string[] = [];
  const first = held();
  const run = (name: string, what: string) =>
    layers.inTurn(name, () => Promise.resolve(order.push(what)), undefined);
  const all = [
    layers.inTurn('a', first.work, undefined),
    run('a', 'second'),
    run('a', 'third'),
    run('b', 'other'),
  ];
  await all[3];
  expect(order).toEqual(['other']);
  first.end();
  await Promise.all(all);
  expect(order).toEqual(['other', 'second', 'third']);
});

test('what fails holds nobody up', async () => {
  const layers = new LayersUnderWay();
  const first = held();
  const failing = layers.inTurn('a', first.work, undefined);
  const second = layers.inTurn('a', () => Promise.resolve('done'), undefined);
  first.fail(new Error('broken'));
  await expect(failing).rejects.toThrow('broken');
  expect(await second).toBe('done');
});

test('who is cancelled waits no longer, and does nothing', async () => {
  const layers = new LayersUnderWay();
  const first = held();
  const cancel = new AbortController();
  let isDone = false;
  const going = layers.inTurn('a', first.work, undefined);
  const waiting = layers.inTurn('a', () => Promise.resolve((isDone = true)), cancel.signal);
  cancel.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  const next = layers.inTurn('a', () => Promise.resolve('next'), undefined);
  expect(await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 20, 'waits'))])).toBe(
    'waits',
  );
  first.end();
  expect(await going).toBe('first');
  expect(await next).toBe('next');
  expect(isDone).toBe(false);
});
