import type { Entry, NodeEntry } from './entry.ts';
import type { FoundEntry, Range } from './layer-layout.ts';
import type { Parts } from './parts.ts';
import type { TarSum } from './tar-file.ts';

/** What the bytes of a tar are put into, from its start to its end. */
export interface TarSink {
  /** How much has been put into it, in bytes. */
  readonly position: number;
  /** Where the next bytes may be put by whoever reads them, instead of {@link write}; it is never empty. */
  readonly room: Buffer;
  /** Says how many bytes were put into {@link room}. */
  advance(length: number): void;
  write(bytes: Uint8Array): void;
  /** Writes what is left. A digest that is taken elsewhere may come later. */
  finish(): TarSum | Promise<TarSum>;
  /** Closes the file as it is. */
  abandon(): void;
}

/** An earlier layer, of which entries are taken as they lie in its tar, header and bytes. */
export interface TarSource {
  /**
   * Where it has an entry just as it would be written now; undefined where it has none, or another.
   * @param node what a hard link is a name of
   */
  find(entry: Entry, node?: NodeEntry): FoundEntry | undefined;
  /** Puts a range of it into the tar. It must lie behind those that were taken before. */
  take(range: Range): Parts<void>;
  /** Says that what comes next is not from it. */
  leave(): void;
  /**
   * Says that nothing more is taken.
   * @throws LayerError `damaged-layer` where it was not what its digest says
   */
  end(): Parts<void>;
}
