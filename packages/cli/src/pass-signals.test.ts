import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { passSignals } from './pass-signals.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const send = (signal: NodeJS.Signals): void => void process.emit(signal);

test('signals go to the program; one that is deaf is ended the third time', () => {
  using signals = passSignals();
  const passed: string[] = [];
  signals.to((signal) => passed.push(signal));
  for (const signal of ['SIGINT', 'SIGWINCH', 'SIGTERM'] as const) send(signal);
  expect([passed, signals.kill.aborted]).toEqual([['SIGINT', 'SIGWINCH', 'SIGTERM'], false]);
  send('SIGINT');
  expect([passed.length, signals.kill.aborted, signals.exitCode]).toEqual([3, true, 130]);
});

test('before there is a program, a signal ends the command, but for a new size of the terminal', () => {
  using signals = passSignals();
  send('SIGWINCH');
  expect(signals.kill.aborted).toBe(false);
  send('SIGTERM');
  expect([signals.kill.aborted, signals.exitCode]).toEqual([true, 143]);
});

test('a program that stays when its terminal is gone is ended ten seconds later', () => {
  using signals = passSignals();
  const passed: string[] = [];
  signals.to((signal) => passed.push(signal));
  send('SIGHUP');
  vi.advanceTimersByTime(9_999);
  expect([passed, signals.kill.aborted]).toEqual([['SIGHUP'], false]);
  vi.advanceTimersByTime(1);
  expect([signals.kill.aborted, signals.exitCode]).toEqual([true, 129]);
});

test('nothing is left of it when the program has ended', () => {
  const before = process.listenerCount('SIGHUP');
  const signals = passSignals();
  signals.to(() => {});
  send('SIGHUP');
  signals[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
  expect(process.listenerCount('SIGHUP')).toBe(before);
});
