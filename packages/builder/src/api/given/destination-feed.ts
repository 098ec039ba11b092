import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Destination } from '../build-options.ts';

/** How much may wait for a destination, in bytes. */
const MOST_WAITING = 1 << 20;

/** What ends a tar says nothing: who has read up to it has read all, in bytes. */
const END_OF_TAR = 1024;

/** How long a function has to say why it closed its stream, in milliseconds. */
const GRACE = 500;

/** What a destination failed with is its cause. */
export class DestinationError extends Error {}

/** Brings bytes to a destination, no faster than it takes them. */
export class DestinationFeed {
  readonly #readable: Readable;
  /** Resolved when the destination has all of it, rejected when it will not have. */
  readonly #taken: Promise<void>;
  #wanted = Promise.withResolvers<void>();

  /** @param path of the option, for messages */
  constructor(path: string, destination: Destination) {
    this.#readable = new Readable({
      highWaterMark: MOST_WAITING,
      read: () => {
        this.#wanted.resolve();
      },
    });
    this.#readable.on('error', () => {}); // what takes it tells
    this.#taken = take(destination, this.#readable).catch((error: unknown) => {
      throw new DestinationError(`${path} cannot be written: ${whyNot(error)}`, { cause: error });
    });
    this.#taken.catch(() => {}); // told where it is waited for
  }

  /** Resolved when it may be given more. @throws what the destination failed with */
  async put(bytes: Uint8Array): Promise<void> {
    this.#wanted = Promise.withResolvers<void>();
    if (this.#readable.destroyed || !this.#readable.push(bytes))
      await Promise.race([this.#wanted.promise, this.#taken]);
  }

  /** Resolved when the destination has all of it. @throws what the destination failed with */
  async end(): Promise<void> {
    this.#readable.push(null);
    await this.#taken;
  }

  /** No more comes, although that was not all. */
  fail(error: Error | undefined): void {
    this.#readable.destroy(error ?? new Error('nothing is written to it'));
  }
}

async function take(destination: Destination, readable: Readable): Promise<void> {
  if (typeof destination === 'function') {
    await takeByFunction(destination, readable);
    return;
  }
  if (destination instanceof WritableStream) {
    await Readable.toWeb(readable).pipeTo(destination);
    return;
  }
  if ('writableEnded' in destination && destination.writableEnded === true) throw new Error(CLOSED);
  const end = destination !== process.stdout && destination !== process.stderr;
  await pipeline(readable, destination, { end });
}

async function takeByFunction(destination: (bytes: Readable) => unknown, readable: Readable): Promise<void> {
  try {
    const closed = finished(readable);
    closed.catch(() => {}); // a function may say why
    const work = destination(readable);
    if (!isPromise(work)) return await closed;
    await Promise.race([work, closed.then(() => work, lateError)]);
    await readRest(readable);
  } catch (error) {
    readable.destroy();
    throw error;
  }
}

/** The stream was closed too early: why, its function should say; but it may never end. */
async function lateError(error: unknown): Promise<never> {
  await sleep(GRACE);
  throw error;
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/** A function that is done has read all but the end. */
async function readRest(readable: Readable): Promise<void> {
  if (readable.readableEnded) return;
  if (readable.destroyed) throw new Error(CLOSED);
  let left = 0;
  for await (const chunk of readable) {
    left += chunk instanceof Uint8Array ? chunk.length : 0;
    if (left > END_OF_TAR) throw new Error('its function ended before it had read all of it');
  }
}

const CLOSED = 'its stream was closed before it had all of it';

const CLOSED_CODES: ReadonlySet<unknown> = new Set([
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_UNABLE_TO_PIPE',
  'ERR_STREAM_WRITE_AFTER_END',
]);

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && CLOSED_CODES.has(error.code) ? CLOSED : error.message;
}
