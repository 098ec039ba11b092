import { Readable } from 'node:stream';
import type { ProgramInput } from '../run-options.ts';

/** As much is given at once, in bytes. */
const MOST_BYTES = 1 << 18;

/** What a program reads, a piece after another. */
export class GivenInput {
  readonly #input: ProgramInput;
  readonly #stopped = new AbortController();
  readonly #pieces: AsyncGenerator<Uint8Array, undefined>;

  constructor(input: ProgramInput) {
    this.#input = input;
    if (input instanceof Readable) input.on('error', ignore);
    this.#pieces = piecesOf(input, this.#stopped.signal);
  }

  /** The next piece; undefined at the end. @throws what the input failed with */
  async next(): Promise<Uint8Array | undefined> {
    return (await this.#pieces.next()).value;
  }

  /** No more of it is wanted: a stream stays open, and is read no further; no process waits for it. */
  stop(): void {
    this.#stopped.abort();
    void this.#pieces.return(undefined).catch(() => {});
    if (this.#input instanceof Readable) leave(this.#input);
  }
}

async function* piecesOf(input: ProgramInput, signal: AbortSignal): AsyncGenerator<Uint8Array, undefined> {
  if (typeof input === 'string' || input instanceof Uint8Array) {
    yield* pieces(bytesOf(input));
    return;
  }
  for await (const chunk of chunksOf(input, signal)) yield* pieces(bytesOf(chunk));
}

const ignore = (): void => {};

/** Whoever gave it may go on with it. */
function leave(stream: Readable): void {
  // An error that was told here may come up as an event only now.
  if (stream.errored === null) stream.off('error', ignore);
  // That nobody listens any more is known to it in the next turn: only then it can be paused.
  setImmediate(() => {
    if (stream.listenerCount('readable') + stream.listenerCount('data') === 0) stream.pause();
  });
}

function chunksOf(
  input: Exclude<ProgramInput, string | Uint8Array>,
  signal: AbortSignal,
): AsyncIterable<unknown> {
  if (input instanceof Readable) return readableChunks(input, signal);
  return input instanceof ReadableStream ? input.values({ preventCancel: true }) : input;
}

/** Not by its iterator, which ends only with the chunk that it waits for. */
async function* readableChunks(stream: Readable, signal: AbortSignal): AsyncGenerator {
  while (!signal.aborted) {
    const chunk: unknown = stream.read();
    if (chunk !== null) yield chunk;
    else if (stream.errored !== null) throw stream.errored;
    else if (stream.readableEnded || stream.destroyed) return;
    else await change(stream, signal);
  }
}

/** Resolved when there may be more of a stream, or never will be. */
function change(stream: Readable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of CHANGES) stream.off(event, done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    for (const event of CHANGES) stream.on(event, done);
    signal.addEventListener('abort', done);
  });
}

const CHANGES = ['readable', 'end', 'close', 'error'];

/** Copies: a part of a buffer would be sent with all of it. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MOST_BYTES)
    yield new Uint8Array(bytes.subarray(at, at + MOST_BYTES));
}

/** Callers without types may give anything. */
function bytesOf(value: unknown): Uint8Array {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value;
  throw new Error(`it gave ${value === null ? 'null' : `a ${typeof value}`}, neither a text nor bytes`);
}
