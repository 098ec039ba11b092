import type { Command } from 'commander';
import { storeRoot } from '@caisson/store';
import type { Terminal } from './terminal.ts';

/** What commands are made with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Says how the command ended. */
  readonly finish: (exitCode: number) => void;
}

/** The folder of the store for a command that is being run: what stands last on the command line counts. */
export function rootOf(command: Command, terminal: Terminal): string {
  return storeRoot(terminal, rootFlag(command));
}

function rootFlag(command: Command | null): string | undefined {
  if (command === null) return undefined;
  const flag: unknown = command.opts()['root'];
  return typeof flag === 'string' ? flag : rootFlag(command.parent);
}
