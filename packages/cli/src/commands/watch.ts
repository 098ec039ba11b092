import { Command } from 'commander';
import { helpNotes } from '../help-notes.ts';
import { checkIds } from '../rootless/enter-namespace.ts';
import { addBuildOptions, type BuildFlags } from '../build-options.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { fullRequest } from '../full-request.ts';
import { runWatch } from '../watch/run-watch.ts';
import { addWatchOptions, checkBuilds } from '../watch/watch-flags.ts';

/** `caisson watch` */
export function watchCommand({ terminal, finish }: CommandContext): Command {
  const command = new Command('watch')
    .summary('build, and build again whenever something changes that the image is made of')
    .description(
      'Builds an image, and builds it again whenever a file changes that one of its steps takes: nothing else is watched.',
    )
    .argument('[context]', 'the build context: a folder', '.');
  return addWatchOptions(addBuildOptions(command))
    .addHelpText('after', EXAMPLES)
    .action(async (context: string, flags: BuildFlags, self: Command) => {
      checkBuilds(flags);
      checkIds();
      const root = rootOf(self, terminal);
      finish(await runWatch(await fullRequest(context, flags, root, terminal), flags, terminal));
    });
}

const EXAMPLES = helpNotes({
  examples: [
    ['caisson watch -t app', 'the image app, always of what is on the disk'],
    ['caisson watch --run', 'and a container of it, started again for each image'],
    ['caisson watch --run="-e PORT=80 -v ./data:/data"', 'with flags of caisson run'],
    ['caisson watch --run="sh -c \'npm test\'"', 'another command than that of the image'],
    ["caisson watch -t app --exec 'curl -s localhost/reload'", 'a command of this machine'],
    ['caisson watch -t registry.example.com/app --push', 'each new image to its registry'],
    ['caisson watch --poll', 'where the kernel does not tell of changes: network file systems'],
  ],
  text: [
    'A step that is running when a file changes goes on if its result is of use all the same; else it is ended at once.',
    'Exit codes: 2 wrong usage; 130 interrupted; with --once 0 built, 1 failed, or that of --run or --exec.',
  ],
});
