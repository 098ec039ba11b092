import { Command } from 'commander';
import { RuntimeError } from '@caisson/runtime';
import { helpNotes } from '../help-notes.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { failureText } from '../failure-text.ts';
import { checkIds } from '../rootless/enter-namespace.ts';

/** `caisson unshare` */
export function unshareCommand({ terminal, finish }: CommandContext): Command {
  return new Command('unshare')
    .summary('run a command as root of the user namespace that builds of an ordinary user have')
    .description(
      'Runs a command of this machine as root of a user namespace, with the subordinate ids of the user, as builds of an ordinary user are run: the files of the store have the owners there that they have in images. CAISSON_ROOT names the store. As root, the command is just run.',
    )
    .argument('[command...]', 'the command and its arguments; $SHELL where there is none')
    .passThroughOptions()
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['caisson unshare ls -ln ~/.local/share/caisson/trees'],
          ['caisson unshare rm -rf ~/.local/share/caisson'],
          ['caisson unshare node build.mjs', 'a script that uses the package caisson'],
        ],
        text: ['Exit codes: those of the command; 126 it cannot be run; 127 there is no such command.'],
      }),
    )
    .action(async (command: readonly string[], _flags: object, self: Command) => {
      checkIds();
      const { becomeProgram } = await import('@caisson/runtime');
      const { env } = terminal;
      const [program = env['SHELL'] || 'sh', ...args] = command;
      try {
        becomeProgram([program, ...args], { ...env, CAISSON_ROOT: rootOf(self, terminal) });
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error;
        const { code, message } = error;
        terminal.error(failureText({ code, message }, terminal.hasColor));
        finish(code === 'no-such-command' ? EXIT.notFound : EXIT.notExecutable);
      }
    });
}
