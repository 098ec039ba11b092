import { Readable } from 'node:stream';
import type { ProgramInput } from '../run-options.ts';

/** As much is given at once, in bytes. */
const MOST_BYTES = 1 << 18;

/** What a program reads, a piece after another. */
export class GivenInput {
  readonly #input: ProgramInput;
  readonly #pieces: AsyncGenerator<Uint8Array, undefined>;

  constructor(input: ProgramInput) {
    this.#input = input;
    this.#pieces = piecesOf(input);
  }

  /** The next piece; undefined at the end. @throws what the input failed with */
  async next(): Promise<Uint8Array | undefined> {
    return (await this.#pieces.next()).value;
  }

  /** No more of it is wanted: a stream stays open, and is read no further. */
  stop(): void {
    void this.#pieces.return(undefined).catch(() => {});
    if (this.#input instanceof Readable) this.#input.pause();
  }
}

async function* piecesOf(input: ProgramInput): AsyncGenerator<Uint8Array, undefined> {
  if (typeof input === 'string' || input instanceof Uint8Array) {
    yield* pieces(bytesOf(input));
    return;
  }
  for await (const chunk of chunksOf(input)) yield* pieces(bytesOf(chunk));
}

function chunksOf(input: Exclude<ProgramInput, string | Uint8Array>): AsyncIterable<unknown> {
  if (input instanceof Readable) return input.iterator({ destroyOnReturn: false });
  return input instanceof ReadableStream ? input.values({ preventCancel: true }) : input;
}

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
