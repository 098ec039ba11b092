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

  test('a limit of the process is told as that, whether it or a thread of it met it', () => {
    const ofFile = Object.assign(new Error('EMFILE: too many open files, open'), { code: 'EMFILE' });
    const ofThread = Object.assign(new Error('Worker initialization failure: EMFILE'), {
      code: 'ERR_WORKER_INIT_FAILED',
    });
    for (const error of [ofFile, ofThread]) {
      expect(failuresOf(error)).toStrictEqual([
        {
          code: 'no-permission',
          message: 'this process may not open any more files',
          hint: 'a limit on open files is too low here (ulimit -n)',
        },
      ]);
    }
    const start = { code: 'EAGAIN', syscall: 'spawn igzip' };
    expect(failuresOf(Object.assign(new Error('spawn igzip EAGAIN'), start))).toMatchObject([
      { message: 'this process may not start any more processes or threads' },
    ]);
    expect(failuresOf(Object.assign(new Error('EAGAIN, read'), { code: 'EAGAIN' }))).toBeUndefined();
  });

  test('a disk that gives errors is told as that', () => {
    const error = { code: 'EIO', syscall: 'read' };
    expect(failuresOf(Object.assign(new Error('EIO: i/o error, read'), error))).toMatchObject([
      { code: 'store', message: 'a disk gives errors: EIO: i/o error, read' },
    ]);
  });

  test('others are bugs', () => {
    expect(failuresOf(errorOf(() => readFileSync('/')))).toBeUndefined();
    expect(failuresOf(new Error('?'))).toBeUndefined();
  });
});
