import { expect, onTestFinished, test, vi } from 'vitest';
import { GitProgressReader, withoutProgress } from './git-progress.ts';

const SAID = [
  'remote: Enumerating objects: 300, done.        \n',
  'remote: Counting objects:   0% (1/300)        \rremote: Counting objects: 100% (300/300)        \r',
  'remote: Counting objects: 100% (300/300), done.        \n',
  'remote: Total 300 (delta 0), reused 0 (delta 0), pack-reused 0\n',
  'Receiving objects:   3% (9/300)\rReceiving objects:  50% (150/300), 1.20 MiB | 1.10 MiB/s\r',
  'Receiving objects: 100% (300/300), 2.40 MiB | 1.10 MiB/s, done.\n',
  'From https://example.com/app\n * [new ref]         HEAD       -> refs/fetched/1\n',
].join('');

test('how far git is stands in what it says, however that is cut', () => {
  vi.spyOn(performance, 'now').mockReturnValue(0);
  onTestFinished(() => void vi.restoreAllMocks());
  for (const length of [1, 7, 1000]) {
    const told: object[] = [];
    const reader = new GitProgressReader((far) => told.push(far));
    for (let at = 0; at < SAID.length; at += length) reader.push(SAID.slice(at, at + length));
    // Of what comes within a tenth of a second, the first and the last.
    expect(told).toEqual([
      { phase: 'Counting objects', done: 1, total: 300 },
      { phase: 'Counting objects', done: 300, total: 300 },
      { phase: 'Counting objects', done: 300, total: 300 },
      { phase: 'Receiving objects', done: 9, total: 300 },
      { phase: 'Receiving objects', done: 300, total: 300 },
    ]);
  }
});

test('what went wrong stands alone', () => {
  const wrong = 'remote: Repository not found.\nfatal: no such ref\n';
  expect(withoutProgress(`${SAID}${wrong}`)).toBe(wrong);
});
