/** How a runtime did. */
export type Started =
  /** It could not make the sandbox; nothing of the step has run. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The program ended. */
  | { readonly kind: 'ended'; readonly exitCode: number };

const POLL_MS = 5;
/** How long a runtime may take to notice that its sandbox has been ended. */
const LATER_MS = 2000;

/** A sandbox that runs: what is needed to end it, or to pass it a signal. */
export class Running {
  #findPid: (() => number | undefined) | undefined;
  #resize: (() => void) | undefined;
  #runtime: number | undefined;
  readonly #killed = new AbortController();
  #isOver = false;
  readonly #started = Promise.withResolvers<void>();

  /** Resolves when a runtime has been started: from then on this process has nothing to do but to wait. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** Whether somebody asked for it to be ended. */
  get isKilled(): boolean {
    return this.#killed.signal.aborted;
  }

  /** Has something done when it is asked to end, or now where it was asked already. */
  onKill(act: () => void): void {
    if (this.isKilled) act();
    else this.#killed.signal.addEventListener('abort', act, { once: true });
  }

  /**
   * @param findPid the first process of the sandbox, once there is one: when it ends, the kernel ends all others
   * @param about.ended settles when no process of it is there any more: their numbers are somebody else's then
   * @param about.resize gives the program's own terminal the new size of the caller's, where it has one; the kernel tells it
   * @param about.runtime the process that waits for the first one to end
   */
  watch(
    findPid: () => number | undefined,
    {
      ended,
      resize,
      runtime,
    }: {
      readonly ended: Promise<unknown>;
      readonly resize?: (() => void) | undefined;
      readonly runtime?: number | undefined;
    },
  ): void {
    this.#findPid = findPid;
    this.#resize = resize;
    this.#runtime = runtime;
    this.#started.resolve();
    void ended.then(() => this.#forget());
  }

  #forget(): void {
    this.#findPid = undefined;
    this.#resize = undefined;
    this.#runtime = undefined;
  }

  /** Ends the sandbox. */
  kill(): void {
    this.#killed.abort();
    this.signal('SIGKILL');
    // Where the caller's terminal is gone, crun and runc wait for ever for what it says.
    setTimeout(() => {
      if (!this.#isOver && this.#runtime !== undefined) sendSignal(this.#runtime, 'SIGKILL');
    }, LATER_MS).unref();
  }

  /**
   * Passes a signal to the program. A runtime that is still making the sandbox is given the time to come to the point
   * where that is possible: a program may run before the runtime has written down which process it is.
   */
  signal(signal: NodeJS.Signals): void {
    if (this.#isOver) return;
    const first = this.#findPid?.();
    if (first === undefined) setTimeout(() => this.signal(signal), POLL_MS).unref();
    else if (signal === 'SIGWINCH' && this.#resize !== undefined) this.#resize();
    else sendSignal(first, signal);
  }

  /** Says that the sandbox has ended. */
  over(): void {
    this.#isOver = true;
  }
}

/** Sends a signal to a process that may have ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
