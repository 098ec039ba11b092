import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { START_MS } from './entry-points.ts';
import { THREADS_HINT } from './errors.ts';
import { NamedOutput } from './host/chroot/named-output.ts';
import { runWithChroot } from './host/chroot/run-with-chroot.ts';
import { Running } from './host/running.ts';
import { SandboxHost } from './sandbox-host.ts';
import type { ProgramSpec } from './sandbox-spec.ts';

/* Node waits for ever for threads that it cannot have: so do its places here, which hold a program that never begins. */

const MARK = `1000.${process.pid}`;
const node = process.execPath;
let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'caisson-stuck-')));
  process.execPath = join(folder, 'node');
  writeFileSync(process.execPath, `#!/bin/sh\nexec sleep ${MARK}\n`, { mode: 0o755 });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  process.execPath = node;
  rmSync(folder, { recursive: true, force: true });
});

/** How many of these programs there are. */
function stuck(): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${MARK}\0`;
    } catch {
      return false; // no process, or none any more
    }
  }).length;
}

const begun = (): Promise<void> => vi.waitFor(() => expect(stuck()).toBe(1), { timeout: 10_000 });

describe('a host that does not come up', () => {
  test('is an error that says what to look at, and is gone', async () => {
    await using host = await SandboxHost.start({ folder, runtimes: ['chroot'] });
    await begun();
    vi.advanceTimersByTime(START_MS);
    await expect(host.rootKind()).rejects.toMatchObject({
      code: 'host-died',
      message: 'the process that runs the sandboxes did not come up in 60 seconds',
      hint: THREADS_HINT,
    });
    expect(stuck()).toBe(0);
  });

  test('is not waited for by who is told to end', async () => {
    await using host = await SandboxHost.start({ folder, runtimes: ['chroot'] });
    await begun();
    const ended = new AbortController();
    const waiting = host.rootKind(ended.signal);
    ended.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  test('ends with whoever started it', async () => {
    {
      await using _host = await SandboxHost.start({ folder, runtimes: ['chroot'] });
      await begun();
    }
    expect(stuck()).toBe(0);
  });
});

test('a program that does not come to change its root is an error, and gone', async () => {
  const root = join(folder, 'root');
  mkdirSync(root);
  const args = ['true'];
  const spec: ProgramSpec = {
    args,
    env: [],
    cwd: '/',
    user: '',
    network: 'host',
    stdio: 'stream',
    stdin: false,
  };
  using output = new NamedOutput(folder, spec, () => Promise.resolve());
  const account = { uid: 0, gid: 0, groups: [], home: '/' };
  const made = { id: '1', folder, root, spec, executable: '/true', env: [], account };
  const ended = runWithChroot({ ...made, systemMounts: [], binds: [] }, [], output, new Running());
  await begun();
  vi.advanceTimersByTime(START_MS);
  await expect(ended).rejects.toMatchObject({
    code: 'sandbox-failed',
    message: 'no sandbox could be made: chroot: Node did not come up in 60 seconds',
  });
  expect(stuck()).toBe(0);
});
