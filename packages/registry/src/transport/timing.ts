/** How long to wait for what, in milliseconds, and how often to try. */
export interface Timing {
  /** For a connection, TLS included. */
  readonly connect: number;
  /** For the headers of an answer, once the request is sent. */
  readonly headers: number;
  /** For the answer to the end of an upload: registries copy large blobs before they answer. */
  readonly commit: number;
  /** For the next bytes of a body. */
  readonly idle: number;
  /** For a credential helper, which may ask the user something. */
  readonly helper: number;
  /** Before the second try. Doubles with each further one. */
  readonly backoff: number;
  /** The longest wait before another try, whatever the registry asks for. */
  readonly longestWait: number;
  /** How often a request is sent before its failure counts, and a transfer goes on without having got further. */
  readonly tries: number;
}

/** What holds where the caller says nothing. */
export const DEFAULT_TIMING: Timing = {
  connect: 15_000,
  headers: 60_000,
  commit: 300_000,
  idle: 60_000,
  helper: 30_000,
  backoff: 400,
  longestWait: 60_000,
  tries: 5,
};
