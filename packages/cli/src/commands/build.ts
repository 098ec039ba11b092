import { Command } from 'commander';
import { helpNotes } from '../help-notes.ts';
import { checkIds } from '../rootless/enter-namespace.ts';
import { addBuildOptions, type BuildFlags } from '../build-options.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { exitOf } from '../failure-exit.ts';
import { fullRequest } from '../full-request.ts';
import { onInterrupt } from '../interrupt.ts';
import { dockerfileFolder } from '../output/ci/dockerfile-folder.ts';
import { openProgress, progressKind } from '../output/open-progress.ts';
import { parseCall } from '../parse-call.ts';
import { ResultFiles } from '../result-files.ts';
import { showCheck } from '../show-check.ts';
import { collectAfterReading } from '../small-heap.ts';
import type { Terminal } from '../terminal.ts';
import { addWatchOptions, checkWatchFlags } from '../watch/watch-flags.ts';
import { runWatch } from '../watch/run-watch.ts';

/** `caisson build` */
export function buildCommand({ terminal, finish }: CommandContext): Command {
  const command = new Command('build')
    .summary('build an image from a Dockerfile')
    .description('Builds an image from a Dockerfile and a folder of files, the context.')
    .argument(
      '<context>',
      'the build context: a folder, a tar, its URL, a git repository (URL#REF:FOLDER); - for a tar or a Dockerfile on the standard input',
    );
  return addWatchOptions(
    addBuildOptions(command).option('--watch', 'build again whenever something changes: caisson watch'),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (context: string, flags: BuildFlags, self: Command) => {
      finish(await runBuild(context, flags, rootOf(self, terminal), terminal));
    });
}

const EXAMPLES = helpNotes({
  examples: [
    ['caisson build -t app .', 'the Dockerfile of this folder, named app:latest'],
    ['caisson build -f docker/Dockerfile --target test .', 'one stage of another Dockerfile'],
    ['caisson build - < Dockerfile', 'a Dockerfile without a context'],
    ['caisson build https://example.com/app.git#v1:web', 'a folder of a git repository'],
    ['caisson build --build-context lib=../lib .', 'for COPY --from=lib'],
    ['caisson build --build-arg VERSION=1.2 -t app .', 'a value for ARG VERSION'],
    ['caisson build -o type=oci,dest=app.tar .', 'the image as a file'],
    ['caisson build --secret id=npm,src=$HOME/.npmrc .', 'for RUN --mount=type=secret,id=npm'],
    ['caisson build -t registry.example.com/app --push .', 'to its registry, too'],
    ['caisson build -o type=registry,name=registry.example.com/app,compression=zstd .', 'with zstd for gzip'],
    ['caisson build -o out .', 'the files of the image in the folder out'],
    ['id=$(caisson build -q .)', 'the image id for a script'],
  ],
  text: [
    'SOURCE_DATE_EPOCH in the environment makes builds reproducible: no time in the image is later.',
    'Exit codes: 0 built; 1 failed; 2 wrong usage; 130 interrupted.',
  ],
});

async function runBuild(
  context: string,
  flags: BuildFlags,
  root: string,
  terminal: Terminal,
): Promise<number> {
  const call = parseCall(flags.call, flags.check === true);
  if (call.method === 'build') checkIds();
  checkWatchFlags(flags);
  const kind = flags.quiet === true ? 'quiet' : progressKind(flags.progress, terminal);
  const request = await fullRequest(context, flags, root, terminal);
  if (call.method === 'check') return showCheck(request, call.format, terminal);
  if (flags.watch === true) return runWatch(request, flags, terminal);
  const { build } = await import('@caisson/builder');
  using interrupt = onInterrupt();
  const files = new ResultFiles(flags, terminal);
  if (!(await files.check(request))) return EXIT.failed;
  const progress = await openProgress(kind, terminal, dockerfileFolder(request, terminal.cwd));
  const built = await build({ ...request, signal: interrupt.signal }, (event) => {
    collectAfterReading(event);
    files.note(event);
    progress.emit(event);
  });
  if (interrupt.exitCode !== undefined) {
    progress.finish('cancelled');
    return interrupt.exitCode;
  }
  progress.finish(built.ok ? 'built' : 'failed');
  if (!built.ok) return exitOf(built.error);
  if (!(await files.write(built.value))) return EXIT.failed;
  if (flags.quiet === true) terminal.out(`${files.idOf(built.value)}\n`);
  return EXIT.ok;
}
