import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { Running } from './running.ts';

afterEach(() => void vi.restoreAllMocks());

test('no signal is sent to what has ended, though the sandbox is not over: another process may have its number', async () => {
  const child = spawn('true', { stdio: 'ignore' });
  const { pid } = child;
  const running = new Running();
  const ended = once(child, 'exit');
  running.watch(() => pid, { ended, runtime: pid, resize: () => void process.kill(pid ?? 0, 'SIGWINCH') });
  await ended;
  vi.useFakeTimers();
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  for (const signal of ['SIGTERM', 'SIGWINCH'] as const) running.signal(signal);
  running.kill();
  vi.advanceTimersByTime(60_000);
  running.over();
  vi.useRealTimers();
  expect(kill).not.toHaveBeenCalled();
});

test('a signal waits for what is to get it', async () => {
  const child = spawn('sleep', ['100'], { stdio: 'ignore' });
  const running = new Running();
  running.signal('SIGTERM');
  running.watch(() => child.pid, { ended: once(child, 'exit') });
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  running.over();
});
