import { SHARE_ENV, Worker } from 'node:worker_threads';
import { programFile } from '@caisson/layer';
import type { BuildEvent } from '../../events.ts';
import type { Failure } from '../../failure.ts';
import { CaissonError } from '../error.ts';
import type { WatchEvent } from '../watch-event.ts';
import { NO_ANSWERS, type Answers } from '../given/answers.ts';
import { isFromThread, type FromThread, type Job, type Outcome, type ToThread } from './protocol.ts';
import { SourceTexts } from './source-references.ts';

const PROGRAM = programFile(import.meta.url, './main.ts', './builder-thread.js');

/**
 * Where objects of the thread are made stays small, as in the command (cli/src/small-heap.ts): those of a build with a large
 * context live on, and copying them to and fro gains nothing.
 */
const LIMITS = { maxYoungGenerationSizeMb: 8 };

/** How long the thread stays when it has nothing to do, in milliseconds: starting it takes a tenth of a second. */
const KEPT_FOR = 5000;

/** What the caller of a job brings. */
export interface JobOptions {
  readonly signal?: AbortSignal | undefined;
  /** What the thread may ask for. */
  readonly answers?: Answers;
  readonly onEvent?: (event: BuildEvent) => void;
  readonly onWatchEvent?: (event: WatchEvent) => void;
  readonly onOutput?: (stream: 'stdout' | 'stderr', data: Uint8Array) => void;
}

/** A job that the thread does. */
interface Running {
  readonly kind: Job['kind'];
  readonly options: JobOptions;
  readonly answers: Answers;
  readonly sources: SourceTexts;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Has a job done in the thread that works for this process, which is started with the first.
 * @throws CaissonError
 */
export async function inThread<Kind extends Job['kind']>(
  job: Extract<Job, { kind: Kind }>,
  options: JobOptions = {},
): Promise<Extract<Outcome, { kind: Kind }>> {
  const { signal, answers = NO_ANSWERS } = options;
  try {
    if (signal?.aborted === true) throw cancelled(job.kind, signal);
    current ??= new BuilderThread((ended) => {
      if (current === ended) current = undefined;
    });
    const outcome = await current.run(job, { ...options, answers });
    if (!isOf(outcome, job.kind))
      throw new Error(`Internal error: ${outcome.kind} is no outcome of ${job.kind}`);
    answers.end();
    return outcome;
  } catch (error) {
    answers.end(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** The one thread of this process. */
let current: BuilderThread | undefined;

function isOf<Kind extends Outcome['kind']>(
  outcome: Outcome,
  kind: Kind,
): outcome is Extract<Outcome, { kind: Kind }> {
  return outcome.kind === kind;
}

/** What a job is rejected with: what the caller gave wrong is told as that. */
function errorOf(
  failures: readonly Failure[],
  { answers: { thrown }, options, kind }: Running,
): CaissonError {
  if (failures.some(({ code }) => code === 'cancelled')) return cancelled(kind, options.signal);
  return thrown instanceof CaissonError ? thrown : new CaissonError(failures, thrown);
}

function cancelled(kind: Job['kind'], signal: AbortSignal | undefined): CaissonError {
  const message = `${TITLES[kind]} was cancelled`;
  return new CaissonError([{ code: 'cancelled', message }], signal?.reason);
}

/** What jobs are called, for messages. */
const TITLES: Readonly<Record<Job['kind'], string>> = {
  build: 'the build',
  plan: 'the plan',
  watch: 'the watch',
  check: 'the check',
  run: 'the run',
  open: 'opening the store',
  images: 'listing the images',
  image: 'looking for the image',
  builds: 'listing the builds',
  usage: 'measuring the store',
  entries: 'measuring the store',
  tag: 'naming the image',
  remove: 'removing the image',
  prune: 'pruning the store',
  verify: 'verifying the store',
  pull: 'the pull',
  push: 'the push',
};

/**
 * The thread that works, as its caller sees it. It keeps the process alive while it has something to do. Processes that
 * it starts are bound to it: with it, the kernel takes them away.
 */
class BuilderThread {
  readonly #worker: Worker;
  readonly #jobs = new Map<number, Running>();
  readonly #onEnd: (thread: BuilderThread) => void;
  #last = 0;
  #idle: NodeJS.Timeout | undefined;

  /** @param onEnd told that it takes no jobs any more; more than once */
  constructor(onEnd: (thread: BuilderThread) => void) {
    this.#onEnd = onEnd;
    this.#worker = startWorker();
    this.#worker.on('message', (message: unknown) => {
      if (isFromThread(message)) this.#take(message);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
  }

  async run(job: Job, options: JobOptions & { readonly answers: Answers }): Promise<Outcome> {
    clearTimeout(this.#idle);
    this.#worker.ref();
    this.#last++;
    const id = this.#last;
    const { signal, answers } = options;
    const abort = (): void => this.#tell({ kind: 'abort', id });
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        this.#jobs.set(id, { kind: job.kind, options, answers, resolve, reject, sources: new SourceTexts() });
        this.#tell({ kind: 'begin', id, job });
      });
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#jobs.delete(id);
      if (this.#jobs.size === 0) this.#rest();
    }
  }

  /** From now on the process may end; soon, the thread does. */
  #rest(): void {
    this.#worker.unref();
    this.#idle = setTimeout(() => {
      this.#onEnd(this);
      void this.#worker.terminate();
    }, KEPT_FOR).unref();
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #take(message: FromThread): void {
    const job = this.#jobs.get(message.id);
    if (job === undefined) return;
    const { options, answers, sources } = job;
    switch (message.kind) {
      case 'source':
        return sources.learn(message.source, message.text);
      case 'event':
        return options.onEvent?.(sources.replaceIn(message.event));
      case 'watch-event':
        return options.onWatchEvent?.(sources.replaceIn(message.event));
      case 'output':
        return options.onOutput?.(message.stream, message.data);
      case 'question': {
        const { id, question } = message;
        void answers.to(message.asked).then((answer) => this.#tell({ kind: 'answer', id, question, answer }));
        return;
      }
      case 'done':
        return job.resolve(sources.replaceIn(message.outcome));
      case 'failed':
        return job.reject(errorOf(sources.replaceIn(message.failures), job));
      case 'bug':
        return job.reject(message.error);
    }
  }

  /** The thread is gone. @param cause what it ended of, where that is known */
  #fail(cause: unknown): void {
    clearTimeout(this.#idle);
    this.#onEnd(this);
    const error = threadEnded('the thread that works for this process ended', cause);
    for (const { reject } of this.#jobs.values()) reject(error);
    this.#jobs.clear();
  }
}

/** Nothing of how the caller was started concerns it: no loader, no inspector. */
function startWorker(): Worker {
  try {
    return new Worker(PROGRAM, { env: SHARE_ENV, execArgv: [], name: 'caisson', resourceLimits: LIMITS });
  } catch (error) {
    throw threadEnded('the thread that works for this process cannot be started', error);
  }
}

function threadEnded(what: string, cause: unknown): CaissonError {
  const message = cause instanceof Error ? `${what}: ${cause.message}` : what;
  return new CaissonError([{ code: 'thread-ended', message }], cause);
}
