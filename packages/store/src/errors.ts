/** What can go wrong with a store. */
export type StoreErrorCode =
  /** The folder is not a store, or one of another version. */
  | 'not-a-store'
  | 'unsupported-version'
  /** The store belongs to somebody else, or cannot be written. */
  | 'no-access'
  /** The disk is full, or a quota is. */
  | 'no-space'
  /** Content that an image or record names is not there. */
  | 'missing-blob'
  /** Content is not what its name says. */
  | 'corrupt-blob'
  /** What was given to be stored has another digest or size than was stated. */
  | 'digest-mismatch'
  | 'size-mismatch'
  /** A document of the store cannot be read. */
  | 'damaged'
  /** No image, or more than one, goes by a name. */
  | 'no-such-image'
  | 'ambiguous-image'
  /** The image is in use. */
  | 'image-in-use';

/** The one error that this package throws for what it was given or found. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** What the user can do about it, where that is known. */
  readonly hint: string | undefined;

  constructor(code: StoreErrorCode, message: string, details: { hint?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }
}
