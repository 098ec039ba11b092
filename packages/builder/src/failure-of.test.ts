import { readFileSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '@caisson/runtime';
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

  test('a full disk is told in the words of the store, whoever wrote to it', () => {
    const full = {
      code: 'no-space',
      message: 'cannot write to the store: no space left on the disk',
      hint: 'caisson prune frees what no image needs; caisson du shows what is there',
    };
    const ofThread = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(failuresOf(ofThread)).toStrictEqual([full]);
    expect(failuresOf(new RuntimeError('no-space', 'EDQUOT: quota exceeded, write'))).toStrictEqual([full]);
    const written = errorOf(() => writeFileSync('/dev/full', 'x'));
    expect(failuresOf(written)).toStrictEqual([full]);
  });

  test('others are bugs', () => {
    expect(failuresOf(errorOf(() => readFileSync('/')))).toBeUndefined();
    expect(failuresOf(new Error('?'))).toBeUndefined();
  });
});
