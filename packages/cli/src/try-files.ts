import type { Failure } from '@caisson/builder';
import { buildFailureText } from './failure-text.ts';
import type { Terminal } from './terminal.ts';

/**
 * Does something with files that the user named.
 * @param failure what to tell, before the reason, if the system does not let it
 * @returns whether it worked
 */
export async function tryFiles(
  act: () => unknown,
  { code, message }: Pick<Failure, 'code' | 'message'>,
  terminal: Terminal,
): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    terminal.error(buildFailureText({ code, message: `${message}: ${error.message}` }, terminal.hasColor));
    return false;
  }
}
