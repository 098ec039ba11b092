import type { Command } from 'commander';
import type { LimitFlags } from './parse-limits.ts';
import { choiceOption } from './choice-option.ts';
import { PROGRESS_KINDS } from './output/open-progress.ts';
import { CALL_CHOICES } from './parse-call.ts';
import {
  collect,
  collectNames,
  CONTEXT_MODES_CHOICES,
  formsOption,
  minIsolationOption,
  NETWORK_CHOICES,
  pullOption,
  RIGHTS,
  RUNTIME_CHOICES,
} from './parse-options.ts';
import type { WatchFlags } from './watch/watch-flags.ts';
import { MIRROR_FLAG, MIRROR_HELP } from './registry-options.ts';

/** The flags that say what is built and how, as they were given. */
export interface PlanFlags extends LimitFlags {
  readonly tag: readonly string[];
  readonly file?: string;
  readonly target?: string;
  readonly platform: readonly string[];
  readonly buildArg: readonly string[];
  readonly cache: boolean;
  /** Of `--no-cache-filter`: what begins with "no-" goes by the rest. */
  readonly cacheFilter: readonly string[];
  readonly cacheMaxSize?: string;
  readonly buildContext: readonly string[];
  readonly contextModes?: string;
  readonly forms?: string;
  readonly secret: readonly string[];
  readonly ssh: readonly string[];
  readonly label: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly pull?: string | boolean;
  readonly network?: string;
  readonly allow: readonly string[];
  readonly addHost: readonly string[];
  readonly jobs?: string;
  readonly runtime?: string;
  readonly minIsolation?: string;
  readonly registryMirror: readonly string[];
}

/** The flags of `caisson build`, as they were given. */
export interface BuildFlags extends PlanFlags, WatchFlags {
  readonly iidfile?: string;
  readonly metadataFile?: string;
  readonly push?: boolean;
  readonly load?: boolean;
  readonly cacheTo: readonly string[];
  readonly progress?: string;
  readonly quiet?: boolean;
  readonly output: readonly string[];
  readonly call?: string;
  readonly check?: boolean;
}

/** Adds the flags of `caisson build`, in groups. */
export function addBuildOptions(command: Command): Command {
  return addOutputOptions(addPlanOptions(command));
}

/** Adds those that say what is built and how. */
export function addPlanOptions(command: Command): Command {
  addImageOptions(command);
  addStepOptions(command);
  return addCacheOptions(command);
}

function addImageOptions(command: Command): void {
  command
    .optionsGroup('The image:')
    .option('-t, --tag <name[:tag]>', 'a name for the image; may be given several times', collect, [])
    .option(
      '-f, --file <path>',
      'the Dockerfile, or its URL (default: Dockerfile in the context); - for the standard input',
    )
    .option('--target <stage>', 'the stage to build (default: the last one)')
    .option(
      '--platform <platform>',
      'what the image is to run on: linux/arm64, or linux/amd64,linux/arm64 for an image each, which is not for watch (default: this machine; DOCKER_DEFAULT_PLATFORM)',
      collect,
      [],
    )
    .option(
      '--build-arg <name=value>',
      'a value for an ARG; a name alone takes it from the environment',
      collect,
      [],
    )
    .option(
      '--build-context <name=context>',
      'files or an image for FROM, --from and stages of that name: NAME=FOLDER, =docker-image://IMAGE, =oci-layout://FOLDER[:TAG] or =URL',
      collect,
      [],
    )
    .addOption(
      choiceOption(
        '--context-modes <how>',
        'what modes of files in contexts count as: exact, or normal, as git keeps them (CAISSON_CONTEXT_MODES)',
        CONTEXT_MODES_CHOICES,
      ),
    )
    .option('--label <name=value>', 'a label of the image; may be given several times', collect, []);
}

function addStepOptions(command: Command): void {
  command
    .optionsGroup('RUN steps:')
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
    .addOption(
      choiceOption(
        '--network <mode>',
        'the network of RUN steps: default, host or none (default is that of this machine)',
        NETWORK_CHOICES,
      ),
    )
    .addOption(
      choiceOption('--allow <right>', 'a right for steps that ask for it: network.host', RIGHTS)
        .default([])
        .argParser(collect),
    )
    .option(
      '--add-host <name:address>',
      'a name for the /etc/hosts of RUN steps; may be given several times',
      collect,
      [],
    )
    .option('-m, --memory <size>', 'how much memory a RUN step may use, for example 2g')
    .option('--cpus <number>', 'how many processors a RUN step may use, for example 1.5')
    .option('--shm-size <size>', 'the size of /dev/shm in RUN steps (default: 64m)')
    .option('--ulimit <name=soft[:hard]>', 'a limit for the processes of RUN steps', collect, [])
    .addOption(
      choiceOption(
        '--runtime <names>',
        'what runs steps: crun, runc, namespaces, chroot, or some of them (CAISSON_RUNTIME)',
        RUNTIME_CHOICES,
      ),
    )
    .addOption(minIsolationOption('steps'))
    .addOption(formsOption())
    .option('--jobs <number>', 'how many steps may run at once');
}

function addCacheOptions(command: Command): Command {
  return command
    .optionsGroup('Cache and base images:')
    .option('--no-cache', 'run every step again')
    .option('--no-cache-filter <stages>', 'run every step of some stages again, by name', collectNames, [])
    .option(
      '--cache-from <cache>',
      'a cache of another machine to look up in: type=registry,ref=NAME or type=local,src=FOLDER',
      collect,
      [],
    )
    .option(
      '--cache-max-size <size>',
      'how much the cache may take, for example 20g or 10% of the disk (default: 10%; CAISSON_CACHE_MAX_SIZE, config.toml)',
    )
    .addOption(pullOption())
    .option(MIRROR_FLAG, MIRROR_HELP, collect, []);
}

function addOutputOptions(command: Command): Command {
  return command
    .optionsGroup('Output:')
    .option('--push', 'send the image to the registries of its names')
    .option('--load', 'put the image into the store, also with --push and -o')
    .option(
      '--cache-to <cache>',
      'where to write the cache for other machines: type=registry,ref=NAME or type=local,dest=FOLDER; mode=max for every stage',
      collect,
      [],
    )
    .option(
      '-o, --output <output>',
      'where to write the image besides the store; may be given several times',
      collect,
      [],
    )
    .option('--iidfile <path>', 'a file for the image id')
    .option('--metadata-file <path>', 'a file for what docker calls metadata: digests, names, in JSON')
    .option('-q, --quiet', 'print nothing but the image id')
    .addOption(
      choiceOption(
        '--progress <kind>',
        'how to show progress: auto, tty, plain, rawjson or quiet (CAISSON_PROGRESS, BUILDKIT_PROGRESS)',
        PROGRESS_KINDS,
      ),
    )
    .option('--check', 'check the Dockerfile instead of building it: --call=check')
    .addOption(choiceOption('--call <method>', 'build (default), or check[,format=json]', CALL_CHOICES));
}
