import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { Command } from 'commander';
import type { BuildRequest, Failure } from '@caisson/builder';
import { formatPlatform, ok, type Result } from '@caisson/oci';
import { checkRoot } from '../as-root.ts';
import { rootOf, type CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-codes.ts';
import { failureText } from '../failure-text.ts';
import { parseName, shownName } from '../image-names.ts';
import { onInterrupt } from '../interrupt.ts';
import { seconds } from '../output/format.ts';
import { plainProgress, quietProgress } from '../output/plain-progress.ts';
import {
  collect,
  oneOf,
  parseBuildArgs,
  parseCount,
  parseLabels,
  parseOutput,
  parsePlatformOption,
  parsePull,
  parseRuntimes,
  parseSecrets,
  parseSourceDateEpoch,
  parseSsh,
} from '../parse-options.ts';
import { pushName } from '../push-name.ts';
import { MIRROR_FLAG, MIRROR_HELP, registryOptions } from '../registry-options.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import type { Terminal } from '../terminal.ts';
import { tryFiles } from '../try-files.ts';
import { UsageError } from '../usage-error.ts';

interface BuildFlags {
  readonly tag: readonly string[];
  readonly file?: string;
  readonly target?: string;
  readonly platform?: string;
  readonly buildArg: readonly string[];
  readonly cache: boolean;
  readonly secret: readonly string[];
  readonly ssh: readonly string[];
  readonly label: readonly string[];
  readonly iidfile?: string;
  readonly push?: boolean;
  readonly pull?: string | boolean;
  readonly network?: string;
  readonly progress?: string;
  readonly quiet?: boolean;
  readonly output: readonly string[];
  readonly jobs?: string;
  readonly runtime?: string;
  readonly registryMirror: readonly string[];
}

/** `caisson build` */
export function buildCommand({ terminal, finish }: CommandContext): Command {
  return new Command('build')
    .summary('build an image from a Dockerfile')
    .description('Builds an image from a Dockerfile and a folder of files, the context.')
    .argument(
      '<context>',
      'the folder of the build context; - for a tar or a Dockerfile on the standard input',
    )
    .option('-t, --tag <name[:tag]>', 'a name for the image; may be given several times', collect, [])
    .option(
      '-f, --file <path>',
      'the Dockerfile (default: Dockerfile in the context); - for the standard input',
    )
    .option('--push', 'send the image to the registries of its names')
    .option('--load', 'for scripts written for docker: the image is in the store anyway')
    .option('--label <name=value>', 'a label of the image; may be given several times', collect, [])
    .option('--iidfile <path>', 'a file for the image id')
    .option('--target <stage>', 'the stage to build (default: the last one)')
    .option(
      '--platform <platform>',
      'what the image is to run on, for example linux/arm64 (default: this machine; DOCKER_DEFAULT_PLATFORM)',
    )
    .option(
      '--build-arg <name=value>',
      'a value for an ARG; a name alone takes it from the environment',
      collect,
      [],
    )
    .option(
      '--secret <secret>',
      'a secret for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=NAME',
      collect,
      [],
    )
    .option(
      '--ssh <agent>',
      'an agent for RUN --mount=type=ssh: default (SSH_AUTH_SOCK), ID=SOCKET or ID=KEY',
      collect,
      [],
    )
    .option('--no-cache', 'run every step again')
    .option('--pull [when]', 'ask the registry for base images (--pull, --pull=always, =missing or =never)')
    .option('--network <mode>', 'the network of RUN steps: host or none (default: host)')
    .option('--progress <kind>', 'how to show progress: auto, plain or quiet (CAISSON_PROGRESS)')
    .option('-q, --quiet', 'print nothing but the image id')
    .option(
      '-o, --output <output>',
      'where to write the image besides the store; may be given several times',
      collect,
      [],
    )
    .option('--jobs <number>', 'how many steps may run at once')
    .option('--runtime <names>', 'what runs steps: crun, runc, namespaces, or some of them (CAISSON_RUNTIME)')
    .option(MIRROR_FLAG, MIRROR_HELP, collect, [])
    .addHelpText('after', EXAMPLES)
    .action(async (context: string, flags: BuildFlags, command: Command) => {
      finish(await runBuild(context, flags, rootOf(command, terminal), terminal));
    });
}

const EXAMPLES = `
Examples:
  caisson build -t app .                             the Dockerfile of this folder, named app:latest
  caisson build -f docker/Dockerfile --target test . one stage of another Dockerfile
  caisson build - < Dockerfile                       a Dockerfile without a context
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
  checkRoot();
  const request = requestOf(context, flags, root, terminal);
  if (flags.push === true && flags.tag.length === 0) {
    throw new UsageError('--push needs a name to push to', { expected: '-t REGISTRY/NAME[:TAG]' });
  }
  const { build } = await import('@caisson/builder');
  await using stack = new AsyncDisposableStack();
  const source = await sourceOf(context, flags, terminal, stack);
  if (!source.ok) {
    for (const failure of source.error) terminal.error(failureText(failure, terminal.hasColor));
    return EXIT.failed;
  }
  using interrupt = onInterrupt();
  const startedAt = performance.now();
  const isQuiet = flags.quiet === true;
  const emit =
    isQuiet || progressOf(flags, terminal) === 'quiet' ? quietProgress(terminal) : plainProgress(terminal);
  const built = await build({ ...request, ...source.value, signal: interrupt.signal }, emit);
  if (interrupt.exitCode !== undefined) return interrupt.exitCode;
  if (!built.ok) return EXIT.failed;
  const { imageId, names, steps } = built.value;
  if (flags.iidfile !== undefined) {
    const path = resolve(terminal.cwd, flags.iidfile);
    const failure = { code: 'output', message: `cannot write the image id to ${path}` } as const;
    if (!(await tryFiles(() => writeFile(path, imageId), failure, terminal))) return EXIT.failed;
  }
  for (const name of flags.push === true ? names : []) {
    const options = { compression: 'gzip', isQuiet, signal: interrupt.signal } as const;
    const digest = await pushName(root, parseName(name), terminal, options);
    if (!isQuiet) terminal.error(`pushed ${shownName(name)}@${digest}\n`);
  }
  if (isQuiet) terminal.out(`${imageId}\n`);
  else if (progressOf(flags, terminal) !== 'quiet') {
    const took = seconds(performance.now() - startedAt);
    terminal.error(`built in ${took}: ${steps.cached} steps cached, ${steps.ran} ran\n`);
  }
  return EXIT.ok;
}

type Source = Pick<BuildRequest, 'context' | 'dockerfile' | 'dockerfileText' | 'usesIgnoreFile'>;

/** Where the context and the Dockerfile lie, or what of them came on the standard input. */
async function sourceOf(
  context: string,
  { file }: BuildFlags,
  { cwd }: Terminal,
  stack: AsyncDisposableStack,
): Promise<Result<Source, readonly Failure[]>> {
  if (context !== '-') {
    const folder = resolve(cwd, context);
    if (file === undefined) return ok({ context: folder });
    if (file !== '-') return ok({ context: folder, dockerfile: resolve(cwd, file) });
    return ok({ context: folder, dockerfileText: await textOf(process.stdin) });
  }
  const { receiveContext } = await import('@caisson/builder');
  const received = await receiveContext(process.stdin, stack.use(await temporaryFolder()).path);
  if (!received.ok || received.value.dockerfileText !== undefined || file === undefined) return received;
  return ok({ ...received.value, dockerfile: resolve(received.value.context, file) });
}

function progressOf(flags: BuildFlags, { env }: Terminal): 'auto' | 'plain' | 'quiet' {
  return oneOf('--progress', flags.progress ?? env['CAISSON_PROGRESS'] ?? 'auto', ['auto', 'plain', 'quiet']);
}

function requestOf(
  context: string,
  flags: BuildFlags,
  root: string,
  terminal: Terminal,
): Omit<BuildRequest, keyof Source> {
  const { env, cwd } = terminal;
  const outputs = flags.output.map((text) => parseOutput(text, cwd));
  if (outputs.filter(({ destination }) => destination === '-').length + (flags.quiet === true ? 1 : 0) > 1) {
    throw new UsageError('only one thing can be written to the standard output');
  }
  if (context === '-' && flags.file === '-')
    throw new UsageError('the Dockerfile and the context cannot both come on the standard input');
  if (/^(?:https?|git|ssh):\/\//.test(context)) {
    throw new UsageError(`the context ${context} is not supported yet`, {
      expected: 'a folder, or - for the standard input',
    });
  }
  const platform = parsePlatformOption(flags.platform ?? env['DOCKER_DEFAULT_PLATFORM']);
  const jobs = parseCount('--jobs', flags.jobs);
  const runtimes = parseRuntimes(flags.runtime ?? env['CAISSON_RUNTIME']);
  const sourceDateEpoch = parseSourceDateEpoch(env['SOURCE_DATE_EPOCH']);
  return {
    root,
    names: flags.tag,
    buildArgs: parseBuildArgs(flags.buildArg, env),
    noCache: !flags.cache,
    secrets: parseSecrets(flags.secret, terminal),
    ssh: parseSsh(flags.ssh, terminal),
    labels: parseLabels(flags.label),
    pull: parsePull(flags.pull),
    outputs,
    registry: registryOptions(flags.registryMirror, env),
    ...(flags.target === undefined ? {} : { target: flags.target }),
    ...(flags.network === undefined
      ? {}
      : { network: oneOf('--network', networkName(flags.network), ['host', 'none']) }),
    ...(platform === undefined ? {} : { platform: formatPlatform(platform) }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(runtimes === undefined ? {} : { runtimes }),
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
  };
}

/** docker's `default` is the network of the host here, as long as there is no private one. */
function networkName(text: string): string {
  return text === 'default' ? 'host' : text;
}
