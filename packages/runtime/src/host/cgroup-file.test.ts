import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeCgroupFile } from './cgroup-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-cgroup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('writes to what is there', () => {
  writeFileSync(join(folder, 'memory.max'), '');
  writeCgroupFile(folder, 'memory.max', '1000');
  expect(readFileSync(join(folder, 'memory.max'), 'utf8')).toBe('1000');
});

test('passes over swap where it is not counted, and makes no file', () => {
  writeCgroupFile(folder, 'memory.swap.max', '0');
  writeCgroupFile(folder, 'memory.memsw.limit_in_bytes', '0');
  expect(readdirSync(folder)).toEqual([]);
});

test.each(['memory.max', 'memory.swap.high', 'cgroup.procs'])('fails where there is no %s', (file) => {
  expect(() => writeCgroupFile(folder, file, '0')).toThrow('ENOENT');
});

test('fails where swap cannot be limited though it is counted', () => {
  expect(() => writeCgroupFile(join(folder, 'no', 'folder'), 'memory.max', '0')).toThrow('ENOENT');
  writeFileSync(join(folder, 'file'), '');
  expect(() => writeCgroupFile(join(folder, 'file'), 'memory.swap.max', '0')).toThrow('ENOTDIR');
});
