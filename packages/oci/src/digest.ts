import { createHash, hash, type Hash } from 'node:crypto';
import { err, ok, type Result } from './result.ts';

declare const digestBrand: unique symbol;
declare const diffIdBrand: unique symbol;
declare const chainIdBrand: unique symbol;

/**
 * A content digest in the form that the image specification gives it: `sha256:` and 64 lower-case hex digits.
 * Made by {@link parseDigest} and {@link digestOf} only.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
 */
export type Digest = string & { readonly [digestBrand]: true };

/** The digest of a layer's uncompressed tar. */
export type DiffId = Digest & { readonly [diffIdBrand]: true };

/**
 * The digest of a stack of layers, each on the ones before it.
 * @see https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid
 */
export type ChainId = Digest & { readonly [chainIdBrand]: true };

const SHA256 = /^sha256:[0-9a-f]{64}$/;
// The grammar of the specification: an algorithm that we do not know is a valid digest that we cannot check.
const GRAMMAR = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/** Whether a text is a sha256 digest, the only algorithm that Caisson stores content under. */
export function isDigest(text: string): text is Digest {
  return SHA256.test(text);
}

/** Whether a text is the digest of a layer's tar. The form is that of every digest: the caller says what it is of. */
export function isDiffId(text: string): text is DiffId {
  return SHA256.test(text);
}

function isChainId(text: string): text is ChainId {
  return SHA256.test(text);
}

/** Reads a digest. The error says what is wrong with it, in one sentence. */
export function parseDigest(text: string): Result<Digest, string> {
  if (isDigest(text)) return ok(text);
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
  if (GRAMMAR.test(text) && !text.startsWith('sha256:')) {
    return err(`${shown} uses a digest algorithm other than sha256`);
  }
  return err(`${shown} is not a digest: expected "sha256:" and 64 lower-case hex digits`);
}

/** The 64 hex digits of a digest: its name in `blobs/sha256/`. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The digest of some bytes (a string counts as UTF-8). */
export function digestOf(bytes: string | Uint8Array): Digest {
  return ofHash(hash('sha256', bytes, 'hex'));
}

/** What sha256 gave needs no check, which would take as long as hashing a small text. */
function ofHash(hex: string): Digest {
  const text = `sha256:${hex}`;
  if (!isOfHash(text)) throw new Error('unreachable');
  return text;
}

function isOfHash(text: string): text is Digest {
  return text.length > 0;
}

/** The digest whose 64 hex digits are given. Throws if they are not: that is a bug of the caller. */
export function digestFromHex(hex: string): Digest {
  const text = `sha256:${hex}`;
  if (!isDigest(text)) throw new Error(`Internal error: not the hex digits of a sha256: ${hex}`);
  return text;
}

/** Marks a digest as that of a layer's uncompressed tar. */
export function asDiffId(digest: Digest): DiffId {
  if (!isDiffId(digest)) throw new Error(`Internal error: not a digest: ${String(digest)}`);
  return digest;
}

/** Takes the digest of a stream, chunk by chunk. */
export class Digester {
  readonly #hash: Hash;
  #size = 0;

  constructor(begun: Hash = createHash('sha256')) {
    this.#hash = begun;
  }

  /** How many bytes have been taken. */
  get size(): number {
    return this.#size;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.byteLength;
  }

  /** Another one that has taken the same so far. */
  copy(): Digester {
    const copy = new Digester(this.#hash.copy());
    copy.#size = this.#size;
    return copy;
  }

  /** Ends the stream. May be called once. */
  digest(): Digest {
    return digestFromHex(this.#hash.digest('hex'));
  }
}

/** The chain id of each prefix of a stack of layers: element `n` is that of the first `n + 1` layers. */
export function chainIds(diffIds: readonly DiffId[]): ChainId[] {
  const chain: ChainId[] = [];
  let previous: ChainId | undefined;
  for (const diffId of diffIds) {
    const next: string = previous === undefined ? diffId : digestOf(`${previous} ${diffId}`);
    if (!isChainId(next)) throw new Error(`Internal error: not a digest: ${next}`);
    chain.push(next);
    previous = next;
  }
  return chain;
}
