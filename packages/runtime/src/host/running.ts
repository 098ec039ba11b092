/** How a runtime did. */
export type Started =
  /** It could not make the sandbox; nothing of the step has run. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The program ended. */
  | { readonly kind: 'ended'; readonly exitCode: number };

const POLL_MS = 5;

/** A sandbox that runs: what is needed to end it, or to pass it a signal. */
export class Running {
  #findPid: (() => number | undefined) | undefined;
  #terminalKeeper: number | undefined;
  #isKilled = false;
  #isOver = false;
  readonly #started = Promise.withResolvers<void>();

  /** Resolves when a runtime has been started: from then on this process has nothing to do but to wait. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Whether somebody asked for it to be ended. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /**
   * @param findPid the first process of the sandbox, once there is one: when it ends, the kernel ends all others
   * @param terminalKeeper the process that stands between the caller's terminal and one of the program's own
   */
  watch(findPid: () => number | undefined, terminalKeeper?: number): void {
    this.#findPid = findPid;
    this.#terminalKeeper = terminalKeeper;
    this.#started.resolve();
  }

  /** Ends the sandbox. */
  kill(): void {
    this.#isKilled = true;
    this.signal('SIGKILL');
  }

  /**
   * Passes a signal to the program. A runtime that is still making the sandbox is given the time to come to the point
   * where that is possible: a program may run before the runtime has written down which process it is.
   */
  signal(signal: NodeJS.Signals): void {
    if (this.#isOver) return;
    // Whoever keeps its terminal gives that the new size; the kernel tells the program.
    const keeper = signal === 'SIGWINCH' ? this.#terminalKeeper : undefined;
    const first = this.#findPid?.();
    const pid = first === undefined ? undefined : (keeper ?? first);
    if (pid === undefined) setTimeout(() => this.signal(signal), POLL_MS).unref();
    else send(pid, signal);
  }

  /** Says that the sandbox has ended. */
  over(): void {
    this.#isOver = true;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
