import { expect, test } from 'vitest';
import { WalkProgress, type WalkSoFar } from './walk-progress.ts';

/** What is told of looks at these times, in milliseconds. */
function told(times: readonly number[]): WalkSoFar[] {
  const all: WalkSoFar[] = [];
  let now = 0;
  const progress = new WalkProgress(
    (soFar) => all.push(soFar),
    () => now,
  );
  for (const time of times) {
    now = time;
    progress.note(1);
  }
  return all;
}

const each = (count: number, milliseconds: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index * milliseconds);

test('a walk is told of once it takes longer than a second, ten times a second at most', () => {
  expect(told(each(100, 10))).toEqual([]);
  const long = told(each(300, 10));
  expect(long[0]).toEqual({ files: 101, duration: 1000 });
  expect(long.length).toBe(20);
  expect(long.at(-1)).toEqual({ files: 291, duration: 2900 });
});

test('what lies between two walks is none', () => {
  expect(told([...each(20, 10), ...each(20, 10, 60_000)])).toEqual([]);
});

test('a slow disk is told of, too', () => {
  expect(told(each(8, 5000)).map(({ files }) => files)).toEqual([5, 6, 7, 8]);
});
