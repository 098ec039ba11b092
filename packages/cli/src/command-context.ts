import type { Command } from 'commander';
import { storeRoot } from '@caisson/store';
import type { Terminal } from './terminal.ts';

/** What commands are made with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Says how the command ended. */
  readonly finish: (exitCode: number) => void;
}

/** The folder of the store for a command that is being run. */
export function rootOf(command: Command, terminal: Terminal): string {
  const flag: unknown = command.optsWithGlobals()['root'];
  return storeRoot(terminal, typeof flag === 'string' ? flag : undefined);
}
