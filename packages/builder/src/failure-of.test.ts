import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { failuresOf } from './failure-of.ts';

function errorOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('errors of the file system that nothing on the way put in better words', () => {
  test('something that is not there is of the store', () => {
    const error = errorOf(() => readFileSync('/nowhere/blobs'));
    expect(failuresOf(error)).toStrictEqual([
      {
        code: 'store',
        message:
          "something that should be in the store is not: ENOENT: no such file or directory, open '/nowhere/blobs'",
        hint: 'caisson store verify says what is wrong with a store',
      },
    ]);
  });

  test('others are bugs', () => {
    expect(failuresOf(errorOf(() => readFileSync('/')))).toBeUndefined();
    expect(failuresOf(new Error('?'))).toBeUndefined();
  });
});
