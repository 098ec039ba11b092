import { expect, test } from 'vitest';
import { isSignal, nearestSignal } from './signals.ts';

test.each([
  ['SIGTEMR', 'SIGTERM'],
  ['KIL', 'SIGKILL'],
  ['sighub', 'SIGHUP'],
  ['SIGUSR3', 'SIGUSR1'],
  ['RTMIX', 'SIGRTMIN'],
  ['FOO', undefined],
  ['SIGFOO', undefined],
  ['SIGNOTHING', undefined],
  ['SIG', undefined],
  ['65', undefined],
])('%s is no signal: %s was meant', (text, meant) => {
  expect(isSignal(text)).toBe(false);
  expect(nearestSignal(text)).toBe(meant);
  expect(meant === undefined || isSignal(meant)).toBe(true);
});
