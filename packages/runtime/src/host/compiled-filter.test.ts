import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CompiledFilter } from './compiled-filter.ts';

const NEVER = new Promise(() => {});
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-filter-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(bytes: number): void {
  writeFileSync(join(folder, 'seccomp.bpf'), Buffer.alloc(bytes, 1));
}

test('is taken from a container that is complete, and kept', async () => {
  const filter = new CompiledFilter();
  let isMade = false;
  filter.takeFrom(folder, () => isMade, NEVER);
  put(8);
  expect(filter.annotations).toEqual({});
  isMade = true;
  const annotations = { 'run.oci.seccomp_bpf_data': Buffer.alloc(8, 1).toString('base64') };
  await vi.waitFor(() => expect(filter.annotations).toEqual(annotations));
  put(16);
  filter.takeFrom(folder, () => true, NEVER);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(filter.annotations).toEqual(annotations);
});

test.each([
  ['a part of a program', 12],
  ['an empty file', 0],
  ['no file', undefined],
])('is not made of %s', async (_what, bytes) => {
  const filter = new CompiledFilter();
  if (bytes !== undefined) put(bytes);
  let looks = 0;
  filter.takeFrom(folder, () => ++looks > 1, NEVER);
  await vi.waitFor(() => expect(looks).toBe(2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(filter.annotations).toEqual({});
  expect(looks).toBe(2); // a crun that keeps no such file is not asked for ever
});

test('is not waited for when the container has ended', async () => {
  const filter = new CompiledFilter();
  let looks = 0;
  filter.takeFrom(folder, () => ++looks < 0, Promise.resolve());
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(looks).toBeLessThanOrEqual(1);
});
