import { setTimeout as sleep } from 'node:timers/promises';
import { START_MS } from './entry-points.ts';
import { RuntimeError } from './errors.ts';
import {
  isHostMessage,
  type HostError,
  type HostMessage,
  type HostRequest,
  type MountedRun,
  type MountingRuntime,
  type RootKind,
} from './host-protocol.ts';
import type { RuntimeName, SandboxMount, SandboxRequest, SandboxResult } from './sandbox-spec.ts';
import {
  hostDied,
  hostStuck,
  mayMount,
  mayNotMount,
  startHost,
  type HostOptions,
  type Subprocess,
} from './start-host.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Takes what a sandbox writes, as it comes. */
export type OutputListener = (stream: 'stdout' | 'stderr', data: Uint8Array) => void;

/** How to run a sandbox. */
export interface RunOptions {
  readonly onOutput?: OutputListener;
  /** Ends the sandbox at once, with all processes in it. */
  readonly signal?: AbortSignal;
  /** Given a function that passes a signal to the program. */
  readonly onStart?: (pass: (signal: NodeJS.Signals) => void) => void;
}

interface Pending {
  readonly resolve: (message: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly onOutput: OutputListener | undefined;
}

type RunMessage = Extract<HostRequest, { request: unknown }>;
type Answer = Extract<HostMessage, { kind: 'result' | 'probed' }>;

/** After so many milliseconds unshare(1) has tied its life to that of what it started, if it will. */
const TIED_MS = 5000;

/**
 * The builder's end of the sandbox host: a process which owns all mounts and sandboxes of a build. It lives in
 * namespaces of its own, if it may make any; if the builder dies, the kernel ends it and all below it. The calling
 * process changes nothing of itself.
 */
export class SandboxHost implements AsyncDisposable {
  readonly #start: (kind: RootKind) => Subprocess;
  readonly #runtimes: readonly MountingRuntime[];
  readonly #pending = new Map<number, Pending>();
  readonly #ready: Promise<RootKind>;
  #subprocess: Subprocess;
  /** What is coming up, or has. */
  #starting: RootKind | undefined;
  #isEnding = false;
  /** Known when it has come up. */
  #kind: RootKind | undefined;
  /** What it ended of: nobody answers any more. */
  #dead: RuntimeError | undefined;
  #whyNotMounted: RuntimeError | undefined;
  #last = 0;

  private constructor(start: (kind: RootKind) => Subprocess, runtimes: readonly RuntimeName[]) {
    this.#start = start;
    this.#runtimes = runtimes.filter((runtime) => runtime !== 'chroot');
    const [first, ...others] = kindsOf(runtimes);
    const second = others[0];
    // Without this right the first one would only say so, on the terminal of whoever lent it his streams.
    const isFutile = first === 'mounted' && second !== undefined && !mayMount();
    if (isFutile) this.#whyNotMounted = mayNotMount();
    this.#subprocess = start(isFutile ? second : first);
    this.#ready = isFutile ? this.#comeUp(second, []) : this.#comeUp(first, others);
    this.#ready.catch(() => {}); // run() tells
  }

  /** Starts a host. It is of use at once; the first sandbox waits for it. */
  static async start(options: HostOptions): Promise<SandboxHost> {
    // Loaded here: a build that finds all its steps in the cache starts nothing.
    const { execa: start } = await import('execa');
    return new SandboxHost((kind) => startHost(start, kind, options), options.runtimes);
  }

  /** Whether it can still run something. */
  get isAlive(): boolean {
    return (
      this.#dead === undefined && (this.#kind === undefined || this.#subprocess.nodeChildProcess.connected)
    );
  }

  /** Waits until it is known whether it mounts layers or copies them. @throws RuntimeError where there is no host */
  rootKind(signal?: AbortSignal): Promise<RootKind> {
    return unlessAborted(this.#ready, signal);
  }

  /** Why it does not mount what it copies; undefined where it mounts, or was never asked to. */
  get whyNotMounted(): RuntimeError | undefined {
    return this.#whyNotMounted;
  }

  /**
   * Runs one sandbox. Several may run at once.
   * @throws RuntimeError
   */
  async run(request: SandboxRequest, options: RunOptions = {}): Promise<SandboxResult> {
    const message = await this.#messageOf(request, options.signal);
    const { id } = message;
    options.signal?.throwIfAborted();
    const kill = (): void => this.#send({ kind: 'kill', id });
    options.signal?.addEventListener('abort', kill, { once: true });
    try {
      const answer = this.#answer(id, options.onOutput);
      this.#send(message);
      options.onStart?.((signal) => this.#send({ kind: 'signal', id, signal }));
      const ended = await answer;
      if (ended.kind !== 'result') throw new Error('Internal error: an answer to something else');
      return this.#withRefusal(ended.result);
    } finally {
      options.signal?.removeEventListener('abort', kill);
    }
  }

  /**
   * Why layers cannot be mounted through maps; undefined where they can.
   * @param folder an empty folder of the store
   * @throws RuntimeError where there is no host, or one that mounts nothing
   */
  async probeMaps(folder: string, signal?: AbortSignal): Promise<string | undefined> {
    await this.rootKind(signal);
    if (this.#whyNotMounted !== undefined) throw this.#whyNotMounted;
    const id = this.#newId();
    const answer = this.#answer(id);
    this.#send({ kind: 'probe-maps', id, folder });
    const message = await answer;
    if (message.kind !== 'probed') throw new Error('Internal error: an answer to something else');
    return message.whyNot;
  }

  /** Ends the host, and whatever runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Before it is ready, unshare(1) may have started it and not yet have tied its life to its own: it would stay.
    this.#isEnding = true;
    const isUp = this.#ready.catch(() => {});
    if (this.#starting !== 'copied') await Promise.race([isUp, sleep(TIED_MS, undefined, { ref: false })]);
    // Without a pid namespace it has to end its sandboxes itself, and to give caches back.
    const { nodeChildProcess } = this.#subprocess;
    if (this.#kind !== 'copied') this.#subprocess.kill('SIGKILL');
    else if (nodeChildProcess.connected) nodeChildProcess.disconnect();
    // Not the channel's end but the process's: its mounts must be gone before their folders are removed.
    await this.#subprocess;
  }

  /** Starts one kind of host after the other until one comes up. */
  async #comeUp(first: RootKind, others: readonly RootKind[]): Promise<RootKind> {
    const error = await this.#listen(first);
    if (error === undefined) return first;
    const [next, ...rest] = others;
    if (next === undefined || this.#isEnding) {
      this.#dead = both(this.#whyNotMounted, error);
      throw this.#dead;
    }
    this.#whyNotMounted = error;
    this.#subprocess = this.#start(next);
    return this.#comeUp(next, rest);
  }

  /** @returns undefined when it is ready; what it ended of, where it ended before */
  #listen(kind: RootKind): Promise<RuntimeError | undefined> {
    const subprocess = this.#subprocess;
    this.#starting = kind;
    return new Promise((resolve) => {
      let unfit: RuntimeError | undefined;
      const late = setTimeout(() => {
        unfit = hostStuck();
        subprocess.kill('SIGKILL');
      }, START_MS);
      subprocess.nodeChildProcess.on('message', (message) => {
        if (!isHostMessage(message)) return;
        if (message.kind === 'unfit') unfit = errorOf(message.error);
        else if (message.kind === 'ready') {
          clearTimeout(late);
          this.#kind = kind;
          resolve(undefined);
        } else this.#take(message);
      });
      const ended = async (): Promise<void> => {
        const end = await subprocess;
        clearTimeout(late);
        const error = unfit ?? hostDied(end);
        resolve(error); // of no effect where it was ready
        if (this.#kind === kind) this.#die(error);
      };
      void ended();
    });
  }

  #die(error: RuntimeError): void {
    this.#dead = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  /** What could not be done before the sandbox was asked for has been refused as well. */
  #withRefusal(result: SandboxResult): SandboxResult {
    const why = this.#whyNotMounted;
    if (why === undefined) return result;
    return { ...result, refused: [{ runtime: 'namespaces', reason: why.message }, ...result.refused] };
  }

  async #messageOf(request: SandboxRequest, signal: AbortSignal | undefined): Promise<RunMessage> {
    // Most hosts mount. What that takes is made while this one comes up; nobody leaves before that is done.
    const early = this.#kind === undefined ? this.#mounted(request) : undefined;
    await Promise.allSettled([early]);
    const kind = await this.rootKind(signal);
    const id = this.#newId();
    return kind === 'mounted'
      ? { kind: 'run-mounted', id, request: await (early ?? this.#mounted(request)) }
      : { kind: 'run-copied', id, request: await withLayers(request, (source) => source.files()) };
  }

  async #mounted(request: SandboxRequest): Promise<MountedRun> {
    return {
      ...(await withLayers(request, (source) => source.lowers())),
      runtimes: this.#runtimes,
    };
  }

  #newId(): number {
    this.#last++;
    return this.#last;
  }

  #answer(id: number, onOutput?: OutputListener): Promise<Answer> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject, onOutput }));
  }

  #send(request: HostRequest): void {
    const { nodeChildProcess } = this.#subprocess;
    if (nodeChildProcess.connected) nodeChildProcess.send(request);
  }

  #take(message: Exclude<HostMessage, { kind: 'ready' | 'unfit' }>): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    switch (message.kind) {
      case 'output':
        pending.onOutput?.(message.stream, message.data);
        return;
      case 'result':
      case 'probed':
        this.#pending.delete(message.id);
        pending.resolve(message);
        return;
      case 'error':
        this.#pending.delete(message.id);
        pending.reject(errorOf(message.error));
        return;
    }
  }
}

/** The kinds of host that can serve what was asked for, in order. */
function kindsOf(runtimes: readonly RuntimeName[]): readonly [RootKind, ...RootKind[]] {
  const kinds = new Set(runtimes.map((runtime) => (runtime === 'chroot' ? 'copied' : 'mounted')));
  const [first = 'mounted', ...others] = kinds;
  return [first, ...others];
}

/** A request with the layers themselves in place of where they come from. */
async function withLayers<From, To>(
  request: SandboxRequest<From>,
  get: (source: From) => Promise<To>,
): Promise<SandboxRequest<To>> {
  const { layers, spec, ...rest } = request;
  const mounts: SandboxMount<To>[] = [];
  const own = await get(layers);
  for (const mount of spec.mounts)
    mounts.push(mount.kind === 'layers' ? { ...mount, layers: await get(mount.layers) } : mount);
  return { ...rest, layers: own, spec: { ...spec, mounts } };
}

/** Why neither kind of host came up. */
function both(first: RuntimeError | undefined, second: RuntimeError): RuntimeError {
  if (first === undefined) return second;
  const hint = first.hint ?? second.hint;
  const message = `${first.message}; ${second.message}`;
  return new RuntimeError(first.code, message, hint === undefined ? {} : { hint });
}

function errorOf({ code, message, hint }: HostError): RuntimeError {
  return new RuntimeError(code, message, hint === undefined ? {} : { hint });
}
