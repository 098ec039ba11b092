import { expect, test } from 'vitest';
import { FileProgress, type FilesSoFar } from './file-progress.ts';

/** Progress by a clock that stands until it is set. */
function progress(): {
  readonly all: FileProgress;
  readonly told: FilesSoFar[];
  readonly clock: { now: number };
} {
  const told: FilesSoFar[] = [];
  const clock = { now: 50 };
  const all = new FileProgress(
    (soFar) => told.push(soFar),
    () => clock.now,
  );
  return { all, told, clock };
}

test('work that does not take long is not told of', () => {
  const { all, told, clock } = progress();
  using work = all.begin(2, 20);
  clock.now += 999;
  work.advance(1, 10);
  work.advance(2, 20);
  expect(told).toEqual([]);
});

test('long work is told of now and then, and when it is complete', () => {
  const { all, told, clock } = progress();
  using work = all.begin(1000, 10_000);
  for (let files = 1; files < 1000; files++) {
    clock.now += 2;
    work.advance(files, 10 * files);
  }
  work.advance(1000, 10_000);
  work.advance(1000, 10_000); // nothing is new
  expect(told.map(({ files, duration }) => [files, duration])).toEqual([
    ...Array.from({ length: 10 }, (_, index) => [500 + 50 * index, 1000 + 100 * index]),
    [1000, 1998],
  ]);
  expect(told.at(-1)).toEqual({ files: 1000, allFiles: 1000, done: 10_000, size: 10_000, duration: 1998 });
});

test('parts at the same time are one work, later ones another', () => {
  const { all, told, clock } = progress();
  {
    using first = all.begin(2, 20);
    using second = all.begin(3, 30);
    clock.now += 1500;
    first.advance(2, 20);
    second.advance(3, 30);
  }
  using third = all.begin(1, 5);
  clock.now += 1000;
  third.advance(1, 5);
  expect(told).toEqual([
    { files: 2, allFiles: 5, done: 20, size: 50, duration: 1500 },
    { files: 5, allFiles: 5, done: 50, size: 50, duration: 1500 },
    { files: 1, allFiles: 1, done: 5, size: 5, duration: 1000 },
  ]);
});
