/** What can go wrong with layers and archives. */
export type LayerErrorCode =
  /** The bytes are not a tar, or one that two readers could read differently. */
  | 'invalid-archive'
  /** The bytes are not what their media type says. */
  | 'invalid-compression'
  /** The program that decompresses was ended by somebody. */
  | 'not-decompressed'
  /** A layer says something that no image may: a path outside the root, a device that would hide files. */
  | 'unsafe-layer'
  /** A file changed while it was read. */
  | 'changed-while-read'
  /** A table of contents that is damaged. */
  | 'invalid-index'
  /** The bytes of a layer that another is made from are not what its digest says. */
  | 'damaged-layer';

/** The one error that this package throws for what it was given. */
export class LayerError extends Error {
  override readonly name = 'LayerError';
  readonly code: LayerErrorCode;
  /** The path in the layer, or of the file that was read, as text. */
  readonly path: string | undefined;

  constructor(code: LayerErrorCode, message: string, details: { path?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.path = details.path;
  }
}
