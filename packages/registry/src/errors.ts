/** What can go wrong between here and a registry. */
export type RegistryErrorCode =
  /** The name of an image is not one. Nothing was asked. */
  | 'invalid-reference'
  /** No answer: the name does not resolve, nobody listens, or the connection was cut too often. */
  | 'unreachable'
  /** No answer within the time allowed. */
  | 'timeout'
  /** The caller's signal ended it. */
  | 'aborted'
  /** The certificate or the TLS connection cannot be trusted. Nothing was sent. */
  | 'tls'
  /** An answer led to where this client does not follow: to plain http, or into this machine's network. */
  | 'unsafe-address'
  /** Credentials are missing, or were refused. */
  | 'unauthorized'
  /** Credentials were accepted, but do not allow this. */
  | 'denied'
  /** There is no such repository, tag, manifest or blob. */
  | 'not-found'
  /** The image is there, but not for the platform that was asked for. */
  | 'no-platform'
  /** What goes by the name is no container image. */
  | 'not-an-image'
  /** The registry limits how often it may be asked. */
  | 'rate-limited'
  /** The registry failed (a 5xx answer), also when asked again. */
  | 'unavailable'
  /** The registry does not accept what was sent. */
  | 'rejected'
  /** The bytes are not those that their digest names. */
  | 'digest-mismatch'
  /** There are more or fewer bytes than their descriptor says. */
  | 'size-mismatch'
  /** An answer that does not follow the specification. */
  | 'invalid-response'
  /** A document over the limit, or a blob over the registry's. */
  | 'too-large'
  /** The registries' configuration forbids this one. */
  | 'blocked'
  /** A file or helper with credentials cannot be read. */
  | 'credentials'
  /** A configuration file cannot be read. */
  | 'config';

/**
 * The one error that this package throws for what it was given or found. Messages are one sentence and hold no secrets:
 * URLs are shown without user names, passwords and queries.
 */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  /** What the user can do about it, where that is known. */
  readonly hint: string | undefined;

  constructor(code: RegistryErrorCode, message: string, details: { hint?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }
}

/** The error for work that the caller's signal ended. */
export function aborted(signal: AbortSignal): RegistryError {
  return new RegistryError('aborted', 'the work with the registry was cancelled', { cause: signal.reason });
}

/** Throws if the signal has ended the work. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal);
}

export { redactUrl } from './transport/redact.ts';
