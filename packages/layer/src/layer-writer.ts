import { asDiffId, type Digest, type DiffId } from '@caisson/oci';
import { baseName, textOf, type HostPath } from './byte-path.ts';
import { ContentDigester } from './content-digest.ts';
import { copyContent, type Content } from './copy-content.ts';
import type { Entry, FileEntry, HardLinkEntry, NodeEntry } from './entry.ts';
import { LayerError } from './errors.ts';
import type { EarlierLayer } from './earlier-layer.ts';
import type { Range } from './layer-layout.ts';
import { atOnce, type Parts } from './parts.ts';
import { PatchedTar } from './patched-tar.ts';
import { hardLinkFields, tarFields, tarName, WHITEOUT_PREFIX } from './tar-fields.ts';
import { BLOCK, encodeHeader } from './tar-header.ts';
import { TarOutput } from './tar-output.ts';
import type { TarSum } from './tar-file.ts';
import type { TarSink, TarSource } from './tar-sink.ts';
import { Toc } from './toc.ts';

/** A layer that was written. */
export interface WrittenLayer {
  readonly diffId: DiffId;
  /** The same without times and without folders that are there only as parents. */
  readonly contentDigest: Digest;
  /** The size of the tar in bytes. */
  readonly size: number;
  /** With the digest and the offset of each file. */
  readonly toc: Toc;
}

const ZERO_BLOCK = Buffer.alloc(BLOCK);
/** In bytes: from here on a second thread gains more than it takes to start. */
const LARGE = 32 << 20;

/** How to write a layer. */
export interface LayerWriterOptions {
  /** Told how much of it is written. */
  readonly onFlush?: (end: number) => void;
  /** How many bytes the files have together, as far as that is known: a large layer is written by a thread of its own. */
  readonly size?: number;
  /** A layer whose bytes are taken for entries that are the same there. Closed by whoever opened it. */
  readonly earlier?: EarlierLayer | undefined;
}

/**
 * Writes a layer's tar in the one form that Caisson knows: the entries bytewise by path, the headers a function of
 * what they say, two blocks of zeros at the end. Runs of zeros stay holes on disk.
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md
 */
export class LayerWriter {
  readonly #output: TarSink;
  readonly #earlier: TarSource | undefined;
  /** What is to be taken from the earlier layer next. */
  #taken: Range | undefined;
  readonly #content = new ContentDigester();
  readonly #entries: Entry[] = [];
  #last: string | undefined;
  /** Once the archive has ended. */
  #toc: Toc | undefined;

  /** @param target a new file; or an old one, which takes what it needs from earlier layers itself */
  constructor(target: HostPath | PatchedTar, { onFlush, size = 0, earlier }: LayerWriterOptions = {}) {
    if (target instanceof PatchedTar) {
      this.#output = target;
      this.#earlier = target;
    } else {
      // The bytes of an earlier layer are hashed here already, and once for both.
      const inThread = size >= LARGE && earlier === undefined;
      const output = new TarOutput(target, { onFlush, inThread });
      this.#output = output;
      this.#earlier = earlier?.into(output);
    }
  }

  /**
   * Adds an entry; they must come bytewise by path.
   * @param role whether it is a folder that is there only because of what is in it
   */
  add(entry: Exclude<Entry, FileEntry | HardLinkEntry>, role: 'change' | 'parent' = 'change'): void {
    this.#checkOrder(entry);
    if (this.#take(entry) === undefined) this.#write(encodeHeader(tarFields(entry)));
    if (role === 'change') this.#content.add(entry);
    this.#entries.push(entry);
  }

  /**
   * Adds a regular file. Its size must be what `entry` says: a file that grew or shrank since it was looked at is an
   * error.
   * @returns the entry, with the digest of the bytes that were written and where they lie
   */
  addFile(entry: FileEntry, content: Content): FileEntry {
    return atOnce(this.fileInParts(entry, content));
  }

  /** The same part by part, for one that may be large. */
  *fileInParts(entry: FileEntry, content: Content): Parts<FileEntry> {
    this.#checkOrder(entry);
    const written = yield* this.#writeFile(entry, content);
    this.#content.add(written);
    this.#entries.push(written);
    return written;
  }

  /**
   * Adds a regular file whose digest is known as the earlier layer has it, where that has it just so.
   * @returns whether it did
   */
  addEarlierFile(entry: FileEntry): boolean {
    const written = this.#takeFile(entry);
    if (written === undefined) return false;
    this.#checkOrder(entry);
    this.#content.add(written);
    this.#entries.push(written);
    return true;
  }

  /**
   * Adds another name of a file, or of anything but a folder, that was added before. Its header repeats the attributes
   * of that node: readers set them again, and a change of owner would clear file capabilities.
   */
  addHardLink(entry: HardLinkEntry, node: NodeEntry): void {
    this.#checkOrder(entry);
    if (this.#take(entry, node) === undefined) this.#write(encodeHeader(hardLinkFields(entry, node)));
    this.#content.add(entry);
    this.#entries.push(entry);
  }

  /** How much of the earlier layer waits to be copied, in bytes: what lies there in one piece is copied at once. */
  get waiting(): number {
    const { start, end } = this.#taken ?? { start: 0, end: 0 };
    return end - start;
  }

  /** Copies what waits. */
  *copyWaiting(): Parts<void> {
    if (this.#taken === undefined) return;
    const range = this.#taken;
    this.#taken = undefined;
    if (this.#earlier !== undefined) yield* this.#earlier.take(range);
  }

  /**
   * Ends the archive, part by part: the rest of an earlier layer may be large. Then {@link finish} has the rest to say.
   * @throws LayerError `damaged-layer` where the earlier layer was not what its digest says
   */
  *endInParts(): Parts<Toc> {
    yield* this.copyWaiting();
    this.#write(ZERO_BLOCK);
    this.#write(ZERO_BLOCK);
    if (this.#earlier !== undefined) yield* this.#earlier.end();
    this.#toc = new Toc(this.#entries);
    return this.#toc;
  }

  /** Ends the archive and closes the file. @throws LayerError as {@link endInParts} does */
  finish(): WrittenLayer {
    const toc = this.#toc ?? atOnce(this.endInParts());
    const sum = this.#output.finish();
    if (sum instanceof Promise) throw new Error('Internal error: the digest of a layer comes later');
    return this.#written(toc, sum);
  }

  /** The same for one whose digest is taken elsewhere. */
  async finished(): Promise<WrittenLayer> {
    const toc = this.#toc ?? atOnce(this.endInParts());
    return this.#written(toc, await this.#output.finish());
  }

  #written(toc: Toc, { digest, size }: TarSum): WrittenLayer {
    return { diffId: asDiffId(digest), contentDigest: this.#content.digest(), size, toc };
  }

  /** Closes the file as it is, for a layer that is given up. */
  abandon(): void {
    this.#output.abandon();
  }

  #checkOrder(entry: Entry): void {
    const name = tarName(entry);
    if (this.#last !== undefined && this.#last >= name) {
      throw new Error(`Internal error: ${textOf(name)} comes after ${textOf(this.#last)} in a layer`);
    }
    if (entry.type !== 'whiteout' && baseName(entry.path).startsWith(WHITEOUT_PREFIX)) {
      const path = `/${textOf(entry.path)}`;
      const why = `names that begin with "${WHITEOUT_PREFIX}" are how layers say that a file is gone`;
      throw new LayerError('unsafe-layer', `${path} cannot be in an image: ${why}`, { path });
    }
    this.#last = name;
  }

  /** Takes an entry from the earlier layer, header and bytes. @returns what that says of it */
  #take(entry: Entry, node?: NodeEntry): Entry | undefined {
    const found = this.#earlier?.find(entry, node);
    if (found === undefined) return undefined;
    const { range, entry: there } = found;
    if (this.#taken?.end !== range.start) atOnce(this.copyWaiting());
    this.#taken = { start: this.#taken?.start ?? range.start, end: range.end };
    return there;
  }

  #takeFile(entry: FileEntry): FileEntry | undefined {
    const there = this.#take(entry);
    if (there === undefined) return undefined;
    const offset = this.#position - paddedSize(entry);
    // The same in both tables of contents, where it is: a watch keeps many of them.
    return there.type === 'file' && there.offset === offset ? there : { ...entry, offset };
  }

  get #position(): number {
    return this.#output.position + this.waiting;
  }

  #write(bytes: Uint8Array): void {
    atOnce(this.copyWaiting());
    this.#earlier?.leave();
    this.#output.write(bytes);
  }

  *#writeFile(entry: FileEntry, content: Content): Parts<FileEntry> {
    this.#write(encodeHeader(tarFields(entry)));
    const offset = this.#position;
    const digest = yield* copyContent(entry, content, this.#output);
    this.#write(ZERO_BLOCK.subarray(0, paddedSize(entry) - entry.size));
    const { type, path, mode, uid, gid, mtime, size, xattrs } = entry;
    // In one piece, and with the text of the digest that is there already: see nodeEntry.
    const known = digest === entry.digest ? entry.digest : digest;
    const written: FileEntry = { type, path, mode, uid, gid, mtime, size, digest: known, offset };
    return xattrs === undefined ? written : { ...written, xattrs };
  }
}

/** What the bytes of a file take in a tar. */
function paddedSize({ size }: FileEntry): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
