import { mkdir } from 'node:fs/promises';
import { DEFAULT_PATH, err, ok, platformOf, type ImageConfig, type Result } from '@caisson/oci';
import {
  chooseRuntimes,
  SandboxHost,
  type LayerSource,
  type SandboxRequest,
  type SandboxSpec,
} from '@caisson/runtime';
import { openStore } from '@caisson/store';
import { stateOfImage } from '../bases/image-state.ts';
import { optionWords } from '../option-words.ts';
import { buildError, type Failure } from '../failure.ts';
import { checkPrograms } from '../foreign-programs.ts';
import { failuresOf } from '../failure-of.ts';
import { Chains } from '../snapshot/chains.ts';
import { StoredTocs } from '../snapshot/stored-tocs.ts';
import { MapSupport } from '../snapshot/map-support.ts';
import { findImage, type FoundImage } from './find-image.ts';
import type { RunRequest } from './run-request.ts';
import { RunStreams } from './run-streams.ts';

/** Takes what is to be passed on to the program, from the moment it runs. */
export type OnStart = (pass: (signal: NodeJS.Signals) => void) => void;

/**
 * Runs a program of an image in the foreground, in a sandbox as RUN steps have it. It has the standard streams of this
 * process, unless somebody takes its output. Nothing of what it changes is kept.
 * @returns its exit code; or why it could not be run
 */
export async function runImage(
  request: RunRequest,
  onStart: OnStart,
): Promise<Result<number, readonly Failure[]>> {
  try {
    return ok(await run(request, onStart));
  } catch (error) {
    const failures = failuresOf(error);
    if (failures === undefined) throw error;
    return err(failures);
  }
}

async function run(request: RunRequest, onStart: OnStart): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openStore(request.root, { signal: request.signal }));
  const session = stack.use(store.session());
  const found = await findImage(store, session, request);
  stack.use(found);
  const { image } = found;
  checkPrograms(platformOf(image.config));
  const state = stateOfImage(store, image);
  const folder = session.newPath('upper');
  const hostFolder = session.newPath('host');
  for (const each of [folder, hostFolder]) await mkdir(each, { mode: 0o700 });
  const streams = request.onOutput && stack.use(new RunStreams(request.onOutput, request.input));
  const runtimes = chooseRuntimes(request);
  const stdio = streams?.passed ?? 'inherit';
  const host = stack.use(await SandboxHost.start({ folder: hostFolder, runtimes, stdio }));
  streams?.started();
  const { forms, signal } = request;
  const support = new MapSupport(store, session, forms, () => Promise.resolve(host), signal);
  const chains = new Chains({
    store,
    session,
    provide: found.provide,
    support,
    stored: new StoredTocs(store),
    signal,
  });
  stack.defer(async () => {
    await found[Symbol.asyncDispose](); // what does not come any more is not waited for
    await chains.settled();
  });
  chains.willMount(state);
  const layers = completeLayers(chains.source(state, signal), found);
  const what = { layers, folder, spec: specOf(request, image.config) };
  const exitCode = await runIn(host, what, { streams, onStart, signal });
  await host[Symbol.asyncDispose](); // with it, all that could write has ended
  await streams?.drained();
  return exitCode;
}

/** Layers of an image that may still come: they are given when all of it is there. */
function completeLayers(source: LayerSource, { complete }: FoundImage): LayerSource {
  const then = async <T>(layers: Promise<T>): Promise<T> => {
    const given = await layers;
    await complete();
    return given;
  };
  return { lowers: () => then(source.lowers()), files: () => then(source.files()) };
}

/** Runs it, unless its streams fail. @throws RuntimeError, and what they failed with */
async function runIn(
  host: SandboxHost,
  what: SandboxRequest,
  {
    streams,
    signal,
    onStart,
  }: {
    readonly streams: RunStreams | undefined;
    readonly signal: AbortSignal | undefined;
    readonly onStart: OnStart;
  },
): Promise<number> {
  const ends = [signal, streams?.failed].filter((each) => each !== undefined);
  try {
    return (await host.run(what, { onStart, signal: AbortSignal.any(ends) })).exitCode;
  } catch (error) {
    if (signal?.aborted !== true) streams?.failed.throwIfAborted();
    throw error;
  }
}

function specOf(request: RunRequest, { config = {} }: ImageConfig): SandboxSpec {
  const command = request.command?.length ? request.command : undefined;
  const args =
    request.entrypoint === undefined
      ? [...(config.Entrypoint ?? []), ...(command ?? config.Cmd ?? [])]
      : [...request.entrypoint, ...(command ?? [])];
  if (args.length === 0) {
    throw buildError(
      'invalid-request',
      `the image ${request.image} has neither a command nor an entry point`,
      {
        expected: optionWords().command,
      },
    );
  }
  return {
    args,
    env: mergeEnv([
      `PATH=${DEFAULT_PATH}`,
      ...(request.hasTerminal === true ? [TERMINAL] : []),
      ...(config.Env ?? []),
      ...(request.env ?? []),
    ]),
    cwd: request.cwd ?? (config.WorkingDir || '/'),
    user: request.user ?? config.User ?? '',
    network: request.network ?? 'host',
    mounts: (request.binds ?? []).map((bind) => ({ kind: 'folder', ...bind })),
    stdio: request.onOutput !== undefined ? 'passed' : request.hasTerminal === true ? 'terminal' : 'inherit',
    stdin: request.isInteractive === true || request.input !== undefined,
  };
}

/** As with docker, whatever terminal it is: images know this one. */
const TERMINAL = 'TERM=xterm';

/** Each name once: the last value, at the first place. */
function mergeEnv(env: readonly string[]): string[] {
  const values = new Map(env.map((each) => [each.split('=', 1)[0] ?? '', each]));
  return [...values.values()];
}
