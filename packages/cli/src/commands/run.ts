import { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';

/** `caisson run` */
export function runCommand(_context: CommandContext): Command {
  return new Command('run');
}
