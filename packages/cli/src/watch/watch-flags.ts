import type { Command } from 'commander';
import { parseCall } from '../parse-call.ts';
import { UsageError } from '../usage-error.ts';

/** The flags that say what comes of a watch, as they were given. */
export interface WatchFlags {
  /** Of `build`. */
  readonly watch?: boolean;
  readonly run?: string;
  readonly exec?: string;
  readonly once?: boolean;
  readonly poll?: string;
}

/** The flags that say what is done with the Dockerfile. */
interface CallFlags {
  readonly check?: boolean;
  readonly call?: string | undefined;
}

/** Adds them. */
export function addWatchOptions(command: Command): Command {
  return command
    .optionsGroup('After each good build:')
    .option(
      '--run [flags]',
      'restart a container of the image and show its output: --run, or --run="FLAGS [COMMAND]" as for caisson run',
    )
    .option(
      '--exec <command>',
      'restart a command of this machine: a shell runs it with CAISSON_IMAGE and CAISSON_DIGEST set; with --push that is the digest in the registry',
    )
    .optionsGroup('Watching:')
    .option('--once', 'end after the first build that a change led to, and with what came of it')
    .option(
      '--poll [seconds]',
      'look at files every so often, where the kernel does not tell of changes: --poll (1 s) or --poll=SECONDS',
    );
}

/** What makes sense only where files are watched. @throws UsageError */
export function checkWatchFlags(flags: WatchFlags & CallFlags): void {
  if (flags.watch === true) return checkBuilds(flags);
  const given = (['run', 'exec', 'once', 'poll'] as const).find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  throw new UsageError(`--${given} is for builds that watch`, { expected: `caisson watch --${given}` });
}

/** A watch builds. @throws UsageError */
export function checkBuilds({ check, call }: CallFlags): void {
  if (parseCall(call, check === true).method === 'build') return;
  throw new UsageError(`${check === true ? '--check' : `--call=${call}`} builds nothing to watch`, {
    expected: 'caisson build --check',
  });
}

/** `--poll`, in seconds. @throws UsageError */
export function parsePoll(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 0.1 && seconds <= 3600) return seconds;
  throw new UsageError(`--poll ${JSON.stringify(text)} is no time`, {
    expected: 'seconds, from 0.1 to 3600',
  });
}
