import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIgnoreMatcher } from '@caisson/parser';
import { expect, onTestFinished, test, vi } from 'vitest';
import { everythingIn, selectSource } from '../copy/select-sources.ts';
import type { FilesSoFar } from '../file-progress.ts';
import { KeptContexts, openAnew } from './kept-contexts.ts';
import type { LocalContext } from './local-context.ts';
import { NO_MEMORY } from './stat-cache.ts';

function makeFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'caisson-kept-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  mkdirSync(join(path, 'd'));
  writeFileSync(join(path, 'd', 'small'), 'abc');
  writeFileSync(join(path, 'large'), Buffer.alloc((3 << 20) + 1));
  return path;
}

/** Reads all files of a context. */
async function readAll(context: LocalContext): Promise<void> {
  const found = selectSource(context, '/', {});
  const nodes = found.ok ? found.value.flatMap(({ tree, node }) => [...everythingIn(tree, node)]) : [];
  const files = nodes.filter(({ entry }) => entry.type === 'file');
  await context.digests(files, new AbortController().signal);
}

test('whoever builds last is told how far the reading of files is', async () => {
  // Each look at the clock is half a second after the one before.
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 500));
  onTestFinished(() => void vi.restoreAllMocks());
  const [first, second]: [FilesSoFar[], FilesSoFar[]] = [[], []];
  const kept = new KeptContexts();
  const rules = { ...createIgnoreMatcher(''), path: '.dockerignore', text: '' };
  const options = {
    folder: makeFolder(),
    rules,
    memory: NO_MEMORY,
    modes: 'exact' as const,
    onWalk: () => {},
  };
  const open = (told: FilesSoFar[]): LocalContext =>
    kept.open({ ...options, title: 'the test', onRead: (_title, soFar) => told.push(soFar) });
  open(first);
  const context = open(second);
  expect(open(second)).toBe(context);
  await readAll(context);
  expect(first).toEqual([]);
  const all = { allFiles: 2, size: (3 << 20) + 4 };
  expect(second.map(({ duration: _duration, ...soFar }) => soFar)).toEqual([
    { ...all, files: 1, done: 3 },
    { ...all, files: 1, done: 3 + (1 << 20) },
    { ...all, files: 1, done: 3 + (2 << 20) },
    { ...all, files: 1, done: 3 + (3 << 20) },
    { ...all, files: 1, done: all.size }, // it is looked whether it has grown
    { ...all, files: 2, done: all.size },
  ]);

  const titles: string[] = [];
  await readAll(openAnew({ ...options, title: 'another', onRead: (title) => titles.push(title) }));
  expect(new Set(titles)).toEqual(new Set(['another']));
});
