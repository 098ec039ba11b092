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
  /** Where each entry ends. */
  readonly #ends: readonly number[];

  private constructor(toc: Toc, ends: readonly number[]) {
    this.toc = toc;
    this.#ends = ends;
    this.size = (ends.at(-1) ?? 0) + END_OF_TAR;
  }

  /** In a watch, the layer of one build is the earlier one of the next two. */
  static readonly #known = new WeakMap<Toc, LayerLayout | undefined>();

  /** @returns undefined for a table of contents that does not say where the bytes of files lie */
  static of(toc: Toc): LayerLayout | undefined {
    if (!this.#known.has(toc)) this.#known.set(toc, this.#make(toc));
    return this.#known.get(toc);
  }

  static #make(toc: Toc): LayerLayout | undefined {
    const ends: number[] = [];
    for (const entry of toc.entries) {
      const end = endOf(entry, toc, ends.at(-1) ?? 0);
      if (end === undefined) return undefined;
      ends.push(end);
    }
    return new LayerLayout(toc, ends);
  }

  /** Where an entry lies. @param index which of the table of contents it is */
  at(index: number): Range {
    const end = this.#ends[index];
    if (end === undefined) throw new Error('Internal error: a layer has no such entry');
    return { start: this.#ends[index - 1] ?? 0, end };
  }

  /**
   * Where it has an entry just as it would be written now; undefined where it has none, or another.
   * @param node what a hard link is a name of
   */
  find(entry: Entry, node?: Entry): FoundEntry | undefined {
    const index = this.toc.indexOf(entry.path);
    const there = index === undefined ? undefined : this.toc.entries[index];
    if (index === undefined || there === undefined || !sameEntry(there, entry)) return undefined;
    if (there.type === 'hardlink') {
      const target = this.toc.get(there.target);
      if (node === undefined || target === undefined || !sameEntry(target, node)) return undefined;
    }
    return { entry: there, range: this.at(index) };
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
