import { EXIT } from './exit-codes.ts';
import { keepHeapSmall } from './small-heap.ts';
import { tellUnread } from './unread.ts';
import { version } from './version.ts';
import { processTerminal } from './terminal.ts';

/*
 * Words in, words out. Only what a command needs is loaded, when it is needed: the answer to --version, for one,
 * needs nothing.
 */
async function main(args: readonly string[]): Promise<number> {
  const terminal = processTerminal();
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
    terminal.out(`caisson ${version}\n`);
    return EXIT.ok;
  }
  const { runProgram } = await import('./program.ts');
  keepHeapSmall();
  return runProgram(args, terminal);
}

if (process.getuid?.() !== 0) {
  const { enterNamespaceFor } = await import('./rootless/enter-namespace.ts');
  enterNamespaceFor(process.argv.slice(2)); // before the standard streams are touched
}
process.stdout.on('error', endQuietly);
process.stderr.on('error', endQuietly);

/**
 * Whoever reads has gone away (`caisson images | head`): nobody is told. What has to end in order does so
 * (interrupt.ts).
 */
function endQuietly(error: NodeJS.ErrnoException): void {
  // The terminal is gone. The signal that told of it ends the command.
  if (error.code === 'EIO') return;
  if (error.code !== 'EPIPE') {
    process.stderr.write(`error[output]: the output cannot be written: ${error.message}\n`);
    process.exit(EXIT.failed);
  }
  if (!tellUnread()) process.exit(EXIT.unread);
}

process.exitCode = await main(process.argv.slice(2));
// When nothing is left to do: to take the heap apart before that takes as long as to load the program.
process.once('beforeExit', () => process.exit());
