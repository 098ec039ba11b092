import { resolve } from 'node:path';
import { anySignal } from './any-signal.ts';
import { checkOptions } from './check-options.ts';
import { OUTPUT_BOUNDS } from './event-bounds.ts';
import { Answers, NOTHING } from './given/answers.ts';
import { defined } from './given/defined.ts';
import { Destinations } from './given/destinations.ts';
import { GivenInput } from './given/given-input.ts';
import { placesOf, wireRegistry } from './given/wire-request.ts';
import { runOptions } from './option-schemas.ts';
import type { RunOptions, RunOutput } from './run-options.ts';
import { Running } from './running.ts';
import { inThread } from './thread/caller.ts';
import type { WireRun } from './thread/protocol.ts';

/** A program that runs: a promise of its exit code, and an async iterable of what it writes. */
export type Run = Running<RunOutput, RunEnd>;

/** How a program ended. */
export interface RunEnd {
  /** Its exit code; 128 and the signal's number where a signal ended it. */
  readonly exitCode: number;
}

/**
 * Runs a program of an image, in a sandbox as RUN steps have it. Nothing of what it changes is kept. An image that is missing is
 * pulled.
 *
 * @example
 * ```ts
 * for await (const { data } of run({ image: 'app', command: ['cat', '/etc/os-release'] })) process.stdout.write(data);
 * ```
 * @returns a promise of its exit code, whatever that is; it is rejected with a {@link CaissonError} where nothing could be run
 */
export function run(options: RunOptions): Run {
  return new Running<RunOutput, RunEnd>(OUTPUT_BOUNDS, async (emit, end) => {
    const checked = checkOptions(runOptions, options);
    const request = requestOf(checked);
    const { signal, registry, input, stdout, stderr } = checked;
    const streams = Object.entries(defined({ stdout, stderr }));
    const destinations = new Map(streams.map(([name, stream]) => [`options.${name}`, stream]));
    const answers = new Answers({
      ...NOTHING,
      credentials: registry?.credentials,
      destinations: new Destinations(destinations),
      ...(input === undefined ? {} : { input: new GivenInput(input) }),
    });
    const { value: exitCode } = await inThread<'run'>(
      { kind: 'run', request },
      { signal: anySignal(end, signal), answers, onOutput: (stream, data) => emit({ stream, data }) },
    );
    return { exitCode };
  });
}

function requestOf(options: RunOptions): WireRun {
  const {
    image,
    command,
    entrypoint,
    env = {},
    workdir,
    user,
    volumes = [],
    network,
    pull,
    runtimes,
    minIsolation,
    forms,
    input,
    stdout,
    stderr,
  } = options;
  const { root, cwd } = placesOf(options);
  return {
    root,
    image,
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    binds: volumes.map(({ source, target, readOnly = false }) => ({
      source: resolve(cwd, source),
      target,
      isReadOnly: readOnly,
    })),
    registry: wireRegistry(options.registry),
    hasInput: input !== undefined,
    taken: {
      ...(stdout === undefined ? {} : { stdout: 'options.stdout' }),
      ...(stderr === undefined ? {} : { stderr: 'options.stderr' }),
    },
    ...defined({ command, entrypoint, cwd: workdir, user, network, pull, runtimes, minIsolation, forms }),
  };
}
