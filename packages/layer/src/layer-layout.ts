import type { BytePath } from './byte-path.ts';
import type { Entry, HardLinkEntry, NodeEntry } from './entry.ts';
import { sameEntry } from './same-entry.ts';
import { hardLinkFields, tarFields } from './tar-fields.ts';
import { BLOCK, encodeHeader } from './tar-header.ts';
import type { Toc } from './toc.ts';

/** Where something lies in a tar, header and bytes, in bytes from its start. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** An entry of a layer, and where it lies in its tar. */
export interface FoundEntry {
  readonly entry: Entry;
  readonly range: Range;
}

const END_OF_TAR = 2 * BLOCK;

/** Where everything lies in the tar of a layer that was written by `LayerWriter`. */
export class LayerLayout {
  readonly toc: Toc;
  /** How long the tar is, in bytes. */
  readonly size: number;
  readonly #ranges: ReadonlyMap<BytePath, Range>;

  private constructor(toc: Toc, ranges: ReadonlyMap<BytePath, Range>, size: number) {
    this.toc = toc;
    this.#ranges = ranges;
    this.size = size;
  }

  /** In a watch, the layer of one build is the earlier one of the next two. */
  static readonly #known = new WeakMap<Toc, LayerLayout | undefined>();

  /** @returns undefined for a table of contents that does not say where the bytes of files lie */
  static of(toc: Toc): LayerLayout | undefined {
    if (!this.#known.has(toc)) this.#known.set(toc, this.#make(toc));
    return this.#known.get(toc);
  }

  static #make(toc: Toc): LayerLayout | undefined {
    const ranges = new Map<BytePath, Range>();
    let start = 0;
    for (const entry of toc.entries) {
      const end = endOf(entry, toc, start);
      if (end === undefined) return undefined;
      ranges.set(entry.path, { start, end });
      start = end;
    }
    return new LayerLayout(toc, ranges, start + END_OF_TAR);
  }

  /** Where the entry of a path lies. */
  at(path: BytePath): Range | undefined {
    return this.#ranges.get(path);
  }

  /**
   * Where it has an entry just as it would be written now; undefined where it has none, or another.
   * @param node what a hard link is a name of
   */
  find(entry: Entry, node?: Entry): FoundEntry | undefined {
    const there = this.toc.get(entry.path);
    if (there === undefined || !sameEntry(there, entry)) return undefined;
    if (there.type === 'hardlink') {
      const target = this.toc.get(there.target);
      if (node === undefined || target === undefined || !sameEntry(target, node)) return undefined;
    }
    const range = this.#ranges.get(entry.path);
    return range === undefined ? undefined : { entry: there, range };
  }
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
      const node = toc.get(entry.target);
      return isNode(node) ? start + headerOfLink(entry, node) : undefined;
    }
    case 'directory':
    case 'symlink':
    case 'char':
    case 'block':
    case 'fifo':
      return start + encodeHeader(tarFields(entry)).length;
  }
}

function isNode(entry: Entry | undefined): entry is NodeEntry {
  return entry !== undefined && entry.type !== 'hardlink' && entry.type !== 'whiteout';
}

function headerOfLink(entry: HardLinkEntry, node: NodeEntry): number {
  return encodeHeader(hardLinkFields(entry, node)).length;
}
