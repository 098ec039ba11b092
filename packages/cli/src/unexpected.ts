import { EXIT } from './exit-codes.ts';
import { RegistryError } from '@caisson/registry/errors';
import { RuntimeError } from '@caisson/runtime';
import { limitError, StoreError } from '@caisson/store';
import { failureText } from './failure-text.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

/**
 * Tells of an error that ended a command.
 * @param help the command line that says how the command is used
 * @returns the exit code
 */
export function unexpected(error: unknown, terminal: Terminal, help: string): number {
  if (error instanceof SuppressedError) return unexpected(error.suppressed, terminal, help);
  if (error instanceof UsageError) {
    const { message, details } = error;
    const page = error.isOfCircumstances ? {} : { page: help };
    terminal.error(failureText({ code: 'usage', message, ...details, ...page }, terminal.hasColor));
    return EXIT.usage;
  }
  if (error instanceof StoreError || error instanceof RegistryError || error instanceof RuntimeError) {
    const { code, message, hint } = error;
    terminal.error(
      failureText({ code, message, ...(hint === undefined ? {} : { hint }) }, terminal.hasColor),
    );
    return EXIT.failed;
  }
  const limit = limitError(error);
  if (limit !== undefined) return unexpected(limit, terminal, help);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.error(
    `caisson ${version} has a bug: this should not happen. Please report it with what follows.\n${text}\n`,
  );
  return EXIT.failed;
}
