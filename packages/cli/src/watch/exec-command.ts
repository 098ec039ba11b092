import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { EXIT } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { endsWithin, type BuiltImage, type Ended, type Running, type Starter } from './running.ts';

/** `--exec`: a shell runs a command in a process group of its own, which ends as a whole. */
export function execCommand(command: string, terminal: Terminal): Starter {
  return { what: 'command', start: (image) => start(command, image, terminal) };
}

function start(command: string, { name, digest }: BuiltImage, terminal: Terminal): Running {
  const shell = spawn('/bin/sh', ['-c', command], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    cwd: terminal.cwd,
    env: { ...terminal.env, CAISSON_IMAGE: name, CAISSON_DIGEST: digest },
  });
  const ended = new Promise<Ended>((resolve) => {
    shell.once('exit', (code, signal) => {
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      resolve({ exitCode, isTold: false });
    });
    shell.once('error', ({ message }) => {
      terminal.error(`cannot run --exec: ${message}\n`);
      resolve({ exitCode: EXIT.failed, isTold: true });
    });
  });
  const { pid } = shell;
  return {
    ended,
    stop: async (patience) => {
      if (pid === undefined || !signalGroup(pid, 'SIGTERM')) return;
      await endsWithin(ended, patience);
      // What it left in the background goes too.
      signalGroup(pid, 'SIGKILL');
      await ended;
    },
  };
}

/** @returns false where there is no such group any more */
function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
