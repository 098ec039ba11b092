import { spawn } from 'node:child_process';
import { errorCode } from '@caisson/sys';
import type { StandardStreams } from './output.ts';
import type { Program } from './sealed-program.ts';

/** How a program ended. */
export type ChildEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signalled'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not-started'; readonly code: string };

/** A program that runs. */
export interface StartedChild {
  readonly pid: number | undefined;
  readonly ended: Promise<ChildEnd>;
}

/**
 * Starts a program on descriptors that are open here: a sandbox writes to real pipes, not to the sockets that
 * process libraries make.
 * @param ownErrors where its own error stream goes; that of `streams` is the next one then, as `PASSED_ERRORS` says
 */
export function startChild(
  { file, name }: Program,
  args: readonly string[],
  streams: StandardStreams,
  env: Readonly<Record<string, string>>,
  ownErrors?: number,
): StartedChild {
  const [input, output, errors] = streams.stdio;
  const passed = errors === 'inherit' ? 2 : errors;
  const stdio = ownErrors === undefined ? streams.stdio : [input, output, ownErrors, passed];
  const child = spawn(file, args, { argv0: name, stdio, env });
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('error', (error) => resolve({ kind: 'not-started', code: errorCode(error) ?? error.message }));
    child.once('exit', (exitCode, signal) => {
      if (exitCode !== null) resolve({ kind: 'exited', exitCode });
      else if (signal !== null) resolve({ kind: 'signalled', signal });
    });
  });
  streams.started();
  return { pid: child.pid, ended };
}
