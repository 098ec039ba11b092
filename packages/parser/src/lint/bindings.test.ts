import { expect, test } from 'vitest';
import { Bindings } from './bindings.ts';

test('a place sees what was bound before it, and nothing later', () => {
  const first = Bindings.of([['a', '1']]);
  const second = first.with([
    ['a', '2'],
    ['b', undefined],
  ]);
  expect([first.get('a'), first.get('b')]).toEqual(['1', undefined]);
  expect([second.get('a'), second.get('b')]).toEqual(['2', '']);
});

test('two that go on from one place do not see each other', () => {
  const start = Bindings.of([['a', '1']]);
  const [left, right] = [start.with([['a', 'left']]), start.with([['b', 'right']])];
  expect([left.get('a'), left.get('b')]).toEqual(['left', undefined]);
  expect([right.get('a'), right.get('b')]).toEqual(['1', 'right']);
  expect(right.names(10).toSorted()).toEqual(['a', 'b']);
  expect(left.names(1)).toEqual(['a']);
});
