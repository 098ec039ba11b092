import type { execa } from 'execa';
import { SANDBOX_HOST } from './entry-points.ts';
import { NAMESPACES_HINT, RuntimeError } from './errors.ts';
import { isHostMessage, type HostMessage, type HostRequest } from './host-protocol.ts';
import type { PassedStreams } from './passed-streams.ts';
import type { SandboxRequest, SandboxResult } from './sandbox-spec.ts';

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

type Answer = Extract<HostMessage, { kind: 'result' | 'probed' }>;

type Subprocess = ReturnType<typeof startHost>;

/**
 * The builder's end of the sandbox host: a process in namespaces of its own, which owns all mounts and sandboxes of a
 * build. The calling process changes nothing of itself. If it dies, the kernel ends the host and all below it.
 */
export class SandboxHost implements AsyncDisposable {
  readonly #subprocess: Subprocess;
  readonly #pending = new Map<number, Pending>();
  readonly #ready: Promise<void>;
  /** What it ended of: nobody answers any more. */
  #dead: RuntimeError | undefined;
  #last = 0;

  private constructor(subprocess: Subprocess) {
    this.#subprocess = subprocess;
    this.#ready = new Promise((resolve, reject) => {
      subprocess.nodeChildProcess.on('message', (message) => {
        if (!isHostMessage(message)) return;
        if (message.kind === 'ready') resolve();
        else this.#take(message);
      });
      const ended = async (): Promise<void> => {
        const error = hostDied(await subprocess);
        this.#dead = error;
        reject(error);
        for (const pending of this.#pending.values()) pending.reject(error);
        this.#pending.clear();
      };
      void ended();
    });
    this.#ready.catch(() => {}); // run() tells
  }

  /**
   * Starts a host. It is of use at once; the first sandbox waits for it.
   * @param folder an empty folder for its mounts; nothing is seen in it from outside
   * @param stdio whether sandboxes may have the standard streams of this process, or which descriptors in place of those
   */
  static async start(
    folder: string,
    stdio: 'ignore' | 'inherit' | PassedStreams = 'ignore',
  ): Promise<SandboxHost> {
    // Loaded here: a build that finds all its steps in the cache starts nothing.
    const { execa: start } = await import('execa');
    return new SandboxHost(startHost(start, folder, stdio));
  }

  /** Whether it can still run something. */
  get isAlive(): boolean {
    return this.#subprocess.nodeChildProcess.connected;
  }

  /**
   * Runs one sandbox. Several may run at once.
   * @throws RuntimeError
   */
  async run(request: SandboxRequest, options: RunOptions = {}): Promise<SandboxResult> {
    await this.#ready;
    options.signal?.throwIfAborted();
    const id = this.#newId();
    const kill = (): void => this.#send({ kind: 'kill', id });
    options.signal?.addEventListener('abort', kill, { once: true });
    try {
      const answer = this.#answer(id, options.onOutput);
      this.#send({ kind: 'run', id, request });
      options.onStart?.((signal) => this.#send({ kind: 'signal', id, signal }));
      const message = await answer;
      if (message.kind !== 'result') throw new Error('Internal error: an answer to something else');
      return message.result;
    } finally {
      options.signal?.removeEventListener('abort', kill);
    }
  }

  /**
   * Why layers cannot be mounted through maps; undefined where they can.
   * @param folder an empty folder of the store
   * @throws RuntimeError where there is no host
   */
  async probeMaps(folder: string): Promise<string | undefined> {
    await this.#ready;
    const id = this.#newId();
    const answer = this.#answer(id);
    this.#send({ kind: 'probe-maps', id, folder });
    const message = await answer;
    if (message.kind !== 'probed') throw new Error('Internal error: an answer to something else');
    return message.whyNot;
  }

  #newId(): number {
    this.#last++;
    return this.#last;
  }

  #answer(id: number, onOutput?: OutputListener): Promise<Answer> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject, onOutput }));
  }

  /** Ends the host, and whatever runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Before it is ready, unshare(1) may have started it and not yet have tied its life to its own: it would stay.
    await this.#ready.catch(() => {});
    // Not the channel's end but the process's: its mounts must be gone before their folders are removed.
    this.#subprocess.kill('SIGKILL');
    await this.#subprocess;
  }

  #send(request: HostRequest): void {
    const { nodeChildProcess } = this.#subprocess;
    if (nodeChildProcess.connected) nodeChildProcess.send(request);
  }

  #take(message: Exclude<HostMessage, { kind: 'ready' }>): void {
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
      case 'error': {
        this.#pending.delete(message.id);
        const { code, message: text, hint } = message.error;
        pending.reject(new RuntimeError(code, text, hint === undefined ? {} : { hint }));
        return;
      }
    }
  }
}

/*
 * setpriv lets the kernel kill unshare when the builder dies, and --kill-child the host when unshare does: the first
 * process of a pid namespace takes everything in it along. All mounts are private to the namespace.
 */
function startHost(start: typeof execa, folder: string, stdio: 'ignore' | 'inherit' | PassedStreams) {
  const isolated = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  return start(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...isolated, process.execPath, SANDBOX_HOST, folder],
    {
      ipc: true,
      serialization: 'advanced',
      buffer: { ipc: false }, // the output of steps passes here
      stdio: stdioOf(stdio),
      detached: true,
      reject: false,
      cleanup: false,
      cwd: '/',
    },
  );
}

/** PASSED_STREAMS says where what is passed comes to lie. */
function stdioOf(stdio: 'ignore' | 'inherit' | PassedStreams): HostStdio {
  if (stdio === 'inherit') return ['inherit', 'inherit', 'inherit'];
  if (stdio === 'ignore') return ['ignore', 'ignore', 'pipe'];
  const passed = [stdio.input, stdio.output, stdio.error].filter(isDescriptor);
  return ['ignore', 'ignore', 'pipe', ...passed];
}

type Descriptor = 3 | 4 | 5 | 6 | 7 | 8 | 9;
type HostStdio = ['ignore' | 'inherit', 'ignore' | 'inherit', 'inherit' | 'pipe', ...Descriptor[]];

/** The types of execa know descriptors up to 9; there are more. */
function isDescriptor(number: number): number is Descriptor {
  return number > 2;
}

function hostDied({ code, stderr, shortMessage }: Awaited<Subprocess>): RuntimeError {
  if (code === 'ENOENT') {
    return new RuntimeError('missing-tool', 'setpriv and unshare of util-linux are needed to run steps', {
      hint: 'apt-get install util-linux',
    });
  }
  if (typeof stderr === 'string' && /^unshare: .*: Operation not permitted$/m.test(stderr)) {
    return new RuntimeError(
      'unsupported',
      'steps need namespaces of their own, and this process may not make any',
      { hint: NAMESPACES_HINT },
    );
  }
  const said =
    typeof stderr === 'string' && stderr !== '' ? `: ${stderr.trim().split('\n').slice(-3).join(' | ')}` : '';
  return new RuntimeError(
    'host-died',
    `the process that runs the sandboxes ended (${shortMessage ?? 'no reason given'})${said}`,
  );
}
