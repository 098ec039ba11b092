import { closeSync, readSync, writeSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeRaw, openPseudoterminal, type Pseudoterminal } from './terminal.ts';

let pair: Pseudoterminal;
beforeEach(() => {
  pair = openPseudoterminal();
});
afterEach(() => {
  closeSync(pair.slave);
  closeSync(pair.master);
});

/** What whoever shows the terminal gets when a program writes something. */
function shown(text: string): string {
  writeSync(pair.slave, text);
  const buffer = Buffer.alloc(100);
  return buffer.toString('latin1', 0, readSync(pair.master, buffer));
}

test('a terminal makes lines, does not while it is raw, and does again', () => {
  expect(shown('one\n')).toBe('one\r\n');
  const restore = makeRaw(pair.slave);
  expect(shown('two\n')).toBe('two\n');
  restore();
  expect(shown('three\n')).toBe('three\r\n');
});

test('what is typed reaches the program as a line, and is shown', () => {
  writeSync(pair.master, 'typed\r');
  const buffer = Buffer.alloc(100);
  expect(buffer.toString('latin1', 0, readSync(pair.slave, buffer))).toBe('typed\n');
  expect(buffer.toString('latin1', 0, readSync(pair.master, buffer))).toBe('typed\r\n');
});
