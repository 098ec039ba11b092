import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Digest, Digester } from '@caisson/oci';
import { fsPath, type BytePath, type HostPath } from './byte-path.ts';
import type { Entry, HardLinkEntry, NodeEntry } from './entry.ts';
import { LayerError } from './errors.ts';
import { sameEntry } from './same-entry.ts';
import { hardLinkFields, tarFields } from './tar-fields.ts';
import { BLOCK, encodeHeader } from './tar-header.ts';
import type { TarOutput } from './tar-output.ts';
import type { Toc } from './toc.ts';

/** Where an entry lies in a tar, header and bytes, in bytes from its start. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const END_OF_TAR = 2 * BLOCK;
const CHUNK = 1 << 20;

/**
 * A layer that was written before by {@link LayerWriter}, as a source for one that has many of the same entries: their
 * headers and bytes lie in it as they would be written again. All of it is hashed while it goes by: up to the first
 * difference that is the hashing of the new layer itself.
 */
export class EarlierLayer implements Disposable {
  readonly #toc: Toc;
  readonly #diffId: Digest;
  readonly #ranges: ReadonlyMap<BytePath, Range>;
  readonly #fd: number;
  /** How much of it was read. */
  #position = 0;
  /** Takes its digest, from where the new layer has something else. */
  #digester: Digester | undefined;

  private constructor(toc: Toc, diffId: Digest, ranges: ReadonlyMap<BytePath, Range>, fd: number) {
    this.#toc = toc;
    this.#diffId = diffId;
    this.#ranges = ranges;
    this.#fd = fd;
  }

  /**
   * Opens a layer, for one pass.
   * @param tar where it lies, as a tar that is not compressed
   * @returns undefined where its table of contents does not say where everything lies
   */
  static open(toc: Toc, tar: HostPath, diffId: Digest): EarlierLayer | undefined {
    const layout = layoutOf(toc);
    if (layout === undefined) return undefined;
    const fd = openSync(fsPath(tar), 'r');
    if (fstatSync(fd).size === layout.size) return new EarlierLayer(toc, diffId, layout.ranges, fd);
    closeSync(fd);
    return undefined;
  }

  /**
   * Where it has an entry just as it would be written now; undefined where it has none, or another.
   * @param node what a hard link is a name of
   */
  find(entry: Entry, node?: NodeEntry): Range | undefined {
    const there = this.#toc.get(entry.path);
    if (there === undefined || !sameEntry(there, entry)) return undefined;
    if (there.type === 'hardlink') {
      const target = this.#toc.get(there.target);
      if (node === undefined || target === undefined || !sameEntry(target, node)) return undefined;
    }
    return this.#ranges.get(entry.path);
  }

  /** Copies a range, which must lie behind those that were copied before. */
  copy({ start, end }: Range, output: TarOutput): void {
    if (start > this.#position) this.leave(output);
    this.#skipTo(start);
    while (this.#position < end) {
      const { room } = output;
      const read = this.#read(room, end);
      this.#digester?.update(room.subarray(0, read));
      output.advance(read);
    }
  }

  /** Says that what is written from here on is not from it. */
  leave(output: TarOutput): void {
    this.#digester ??= output.fork();
  }

  /**
   * Reads what is left.
   * @throws LayerError `damaged-layer` where it was not what its digest says
   */
  finish(output: TarOutput): void {
    this.leave(output);
    this.#skipTo(fstatSync(this.#fd).size);
    if (this.#digester?.digest() !== this.#diffId) throw damaged(this.#diffId);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #skipTo(end: number): void {
    if (this.#position === end) return;
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, end - this.#position));
    while (this.#position < end) this.#digester?.update(chunk.subarray(0, this.#read(chunk, end)));
  }

  #read(into: Buffer, end: number): number {
    const read = readSync(this.#fd, into, 0, Math.min(into.length, end - this.#position), this.#position);
    if (read === 0) throw damaged(this.#diffId);
    this.#position += read;
    return read;
  }
}

/** Where each entry of a layer lies in its tar, in the order in which they are written, and how long that is. */
function layoutOf(toc: Toc): { ranges: Map<BytePath, Range>; size: number } | undefined {
  const ranges = new Map<BytePath, Range>();
  let start = 0;
  for (const entry of toc.entries) {
    const end = endOf(entry, toc, start);
    if (end === undefined) return undefined;
    ranges.set(entry.path, { start, end });
    start = end;
  }
  return { ranges, size: start + END_OF_TAR };
}

function endOf(entry: Entry, toc: Toc, start: number): number | undefined {
  switch (entry.type) {
    case 'file': {
      const { offset, size } = entry;
      return offset === undefined ? undefined : offset + Math.ceil(size / BLOCK) * BLOCK;
    }
    case 'whiteout': // comes before its siblings, and is in no layer of copied files
      return undefined;
    case 'hardlink': {
      const length = headerOfLink(entry, toc.get(entry.target));
      return length === undefined ? undefined : start + length;
    }
    case 'directory':
    case 'symlink':
    case 'char':
    case 'block':
    case 'fifo':
      return start + encodeHeader(tarFields(entry)).length;
  }
}

function headerOfLink(entry: HardLinkEntry, node: Entry | undefined): number | undefined {
  if (node === undefined || node.type === 'hardlink' || node.type === 'whiteout') return undefined;
  return encodeHeader(hardLinkFields(entry, node)).length;
}

function damaged(diffId: Digest): LayerError {
  return new LayerError('damaged-layer', `the layer ${diffId} is damaged`);
}
