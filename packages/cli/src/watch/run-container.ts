import { Command, CommanderError } from 'commander';
import type { RunRequest } from '@caisson/builder';
import { addRunOptions, failedToRun, runRequestOf, type RunFlags } from '../commands/run.ts';
import { usageErrorOf } from '../commander-errors.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { endsWithin, type Ended, type Running, type Starter } from './running.ts';
import { splitWords } from './split-words.ts';

/** `--run`: a container of the image. @param text flags of `caisson run`, and a command @throws UsageError */
export function runContainer(text: string, root: string, terminal: Terminal): Starter {
  const { command, flags } = parseRun(text);
  return {
    what: 'container',
    start: ({ id }) => start(runRequestOf(id, command, flags, root, terminal), terminal),
  };
}

function start(request: RunRequest, terminal: Terminal): Running {
  const kill = new AbortController();
  let pass: ((signal: NodeJS.Signals) => void) | undefined;
  const run = async (): Promise<Ended> => {
    const { runImage } = await import('@caisson/builder');
    const ended = await runImage({ ...request, pull: 'never', signal: kill.signal }, (passOn) => {
      pass = passOn;
    });
    if (ended.ok) return { exitCode: ended.value, isTold: false };
    if (kill.signal.aborted) return { exitCode: 0, isTold: false };
    return { exitCode: failedToRun(ended.error, terminal), isTold: true };
  };
  const ended = run();
  return {
    ended,
    stop: async (patience) => {
      // Before there is a program, there is nobody to be asked.
      if (pass === undefined) kill.abort();
      else pass('SIGTERM');
      await endsWithin(ended, patience);
      kill.abort();
      await ended;
    },
  };
}

function parseRun(text: string): { readonly command: readonly string[]; readonly flags: RunFlags } {
  const words = splitWords(text);
  if (!words.ok) throw new UsageError(`--run: ${words.error}`);
  let parsed: { readonly command: readonly string[]; readonly flags: RunFlags } | undefined;
  const command = addRunOptions(new Command('--run'))
    .argument('[command...]')
    .passThroughOptions()
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .action((given: readonly string[], flags: RunFlags) => {
      parsed = { command: given, flags };
    });
  try {
    command.parse(words.value, { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? usageErrorOf(error, command) : error;
  }
  if (parsed === undefined) throw new Error('Internal error: --run was not parsed');
  return parsed;
}
