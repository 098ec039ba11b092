import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { RuntimeError } from '../errors.ts';
import { checkArguments } from './argument-length.ts';

const parent = mkdtempSync(join(tmpdir(), 'caisson-arguments-'));
afterAll(() => rmSync(parent, { recursive: true }));

const MOST = 131_072;

function smaps(kib: number): string {
  const path = join(parent, `smaps-${kib}`);
  writeFileSync(
    path,
    `0-1 r--p 0 00:00 0 /node\nSize:  8 kB\nKernelPageSize:  ${kib} kB\nMMUPageSize:  ${kib} kB\n`,
  );
  return path;
}

function told(args: readonly string[], env: readonly string[], kib = 4): string | undefined {
  try {
    checkArguments(args, env, smaps(kib));
    return undefined;
  } catch (error) {
    if (error instanceof RuntimeError) return `${error.code}: ${error.message}\n${error.hint}`;
    throw error;
  }
}

test('a variable or an argument that the kernel does not take is named', () => {
  const variable = `CA=${'x'.repeat(MOST - 3)}`;
  expect(told(['true'], ['A=b', variable.slice(1)])).toBeUndefined();
  expect(told(['true'], ['A=b', variable])).toBe(
    'unsupported: the variable CA is too long to start a program with: 131073 bytes\nthe kernel takes 131072 of one argument or variable; a file, as a secret has with target=, has no such limit',
  );
  const command = 'ä'.repeat(MOST / 2);
  expect(told(['/bin/sh', '-c', command.slice(1)], [])).toBeUndefined();
  expect(told(['/bin/sh', '-c', command], [])).toBe(
    'unsupported: argument 2 of /bin/sh is too long to start a program with: 131073 bytes\nthe kernel takes 131072 of one argument or variable; a script in a file has no such limit',
  );
});

test('large pages make room for more', () => {
  expect(told([], [`A=${'x'.repeat(MOST * 15)}`], 64)).toBeUndefined();
  expect(told([], [`A=${'x'.repeat(MOST * 16)}`], 64)).toBe(
    'unsupported: the variable A is too long to start a program with: 2097155 bytes\nthe kernel takes 2097152 of one argument or variable; a file, as a secret has with target=, has no such limit',
  );
});
