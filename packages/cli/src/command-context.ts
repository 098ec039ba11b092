import type { Command } from 'commander';
import { storeRoot } from '@caisson/store';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** What commands are made with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Says how the command ended. */
  readonly finish: (exitCode: number) => void;
}

/** The folder of the store for a command that is being run: what stands last on the command line counts. @throws UsageError */
export function rootOf(command: Command, terminal: Terminal): string {
  const flag = rootFlag(command);
  // A variable that is not set, in most cases: another store than the one that was meant is no good.
  if (flag === '') throw new UsageError('--root is empty', { expected: 'a folder' });
  return storeRoot(terminal, flag);
}

function rootFlag(command: Command | null): string | undefined {
  if (command === null) return undefined;
  const flag: unknown = command.opts()['root'];
  return typeof flag === 'string' ? flag : rootFlag(command.parent);
}
