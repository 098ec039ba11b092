import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { checkRoot } from '../as-root.ts';
import { addBuildOptions, type BuildFlags } from '../build-options.ts';
import { requestOf, type BuildSource } from '../build-request.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { readCacheMaxSize } from '../config/cache-max-size.ts';
import { EXIT } from '../exit-codes.ts';
import { exitOf } from '../failure-exit.ts';
import { onInterrupt } from '../interrupt.ts';
import { openProgress, progressKind } from '../output/open-progress.ts';
import { parseCacheTo } from '../parse-cache.ts';
import { parseDestinations } from '../parse-output.ts';
import { parseCall } from '../parse-call.ts';
import { ResultFiles } from '../result-files.ts';
import { showCheck } from '../show-check.ts';
import type { Terminal } from '../terminal.ts';

/** `caisson build` */
export function buildCommand({ terminal, finish }: CommandContext): Command {
  const command = new Command('build')
    .summary('build an image from a Dockerfile')
    .description('Builds an image from a Dockerfile and a folder of files, the context.')
    .argument(
      '<context>',
      'the build context: a folder, a tar, its URL, a git repository (URL#REF:FOLDER); - for a tar or a Dockerfile on the standard input',
    );
  return addBuildOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (context: string, flags: BuildFlags, self: Command) => {
      finish(await runBuild(context, flags, rootOf(self, terminal), terminal));
    });
}

const EXAMPLES = `
Examples:
  caisson build -t app .                             the Dockerfile of this folder, named app:latest
  caisson build -f docker/Dockerfile --target test . one stage of another Dockerfile
  caisson build - < Dockerfile                       a Dockerfile without a context
  caisson build https://example.com/app.git#v1:web   a folder of a git repository
  caisson build --build-context lib=../lib .         for COPY --from=lib
  caisson build --build-arg VERSION=1.2 -t app .     a value for ARG VERSION
  caisson build -o type=oci,dest=app.tar .           the image as a file
  caisson build --secret id=npm,src=$HOME/.npmrc .   for RUN --mount=type=secret,id=npm
  caisson build -t registry.example.com/app --push . to its registry, too
  caisson build -o out .                             the files of the image in the folder out
  id=$(caisson build -q .)                           the image id for a script

SOURCE_DATE_EPOCH in the environment makes builds reproducible: no time in the image is later.
Exit codes: 0 built; 1 failed; 2 wrong usage; 130 interrupted.
`;

async function runBuild(
  context: string,
  flags: BuildFlags,
  root: string,
  terminal: Terminal,
): Promise<number> {
  const call = parseCall(flags.call, flags.check === true);
  if (call.method === 'build') checkRoot();
  const request = {
    ...requestOf(context, flags, root, terminal),
    ...parseDestinations(flags, terminal.cwd),
    cacheTo: flags.cacheTo.map((text) => parseCacheTo(text, terminal.cwd)),
  };
  const kind = flags.quiet === true ? 'quiet' : progressKind(flags.progress, terminal);
  const { build } = await import('@caisson/builder');
  const source = await sourceOf(context, flags);
  if (call.method === 'check') return showCheck({ ...request, ...source }, call.format, terminal);
  const cacheMaxSize = await readCacheMaxSize(flags.cacheMaxSize, terminal);
  const limits = cacheMaxSize === undefined ? {} : { cacheMaxSize };
  using interrupt = onInterrupt();
  const progress = await openProgress(kind, terminal, folderOf(source, terminal));
  const files = new ResultFiles(flags, terminal);
  const built = await build({ ...request, ...limits, ...source, signal: interrupt.signal }, (event) => {
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
  if (flags.quiet === true) terminal.out(`${built.value.imageId}\n`);
  return EXIT.ok;
}

/** The context and the Dockerfile as they were named, or as they come on the standard input. */
export async function sourceOf(context: string, { file }: Pick<BuildFlags, 'file'>): Promise<BuildSource> {
  const given = { context: context === '-' ? process.stdin : context };
  if (file === undefined) return given;
  return file === '-'
    ? { ...given, dockerfileText: await beginningOf(process.stdin) }
    : { ...given, dockerfile: file };
}

/** More than a Dockerfile may have, so that one that is too large is refused. */
const MOST_INPUT = 17 << 20;

/** What comes on the standard input, as text. An input without an end is not read to it. */
async function beginningOf(input: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    if (!(chunk instanceof Uint8Array)) continue;
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_INPUT) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The folder that is built, if it is one of this machine. */
function folderOf({ context }: BuildSource, { cwd }: Terminal): string | undefined {
  if (typeof context !== 'string') return undefined;
  const folder = resolve(cwd, context);
  return existsSync(folder) ? folder : undefined;
}
