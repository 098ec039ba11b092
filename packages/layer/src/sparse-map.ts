import { LayerError } from './errors.ts';

/** A part of a sparse file that is no hole. */
interface Extent {
  /** In the file, in bytes. */
  readonly offset: number;
  readonly length: number;
}

/** What pax records of GNU tar say of a sparse file. */
export interface SparseRecords {
  readonly name: string | undefined;
  /** In bytes, holes and all. */
  readonly size: number;
  /** Undefined where the map stands before the bytes of the file. */
  readonly map: readonly Extent[] | undefined;
}

/** No file system that trees lie on is sure to hold larger files. */
const MAX_SIZE = 2 ** 43;
/** No map is longer, in bytes. */
const MAX_MAP = 1 << 20;
const BLOCK = 512;

/**
 * What records `GNU.sparse.*` say, by the name behind that; undefined where they are of no known version.
 * @see https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html
 */
export function sparseRecords(records: readonly (readonly [string, string])[]): SparseRecords | undefined {
  const named = new Map(records);
  const version = `${named.get('major') ?? ''}.${named.get('minor') ?? ''}`;
  // Version 0.0 has a record for each number.
  const each = records.flatMap(([key, value]) => (key === 'offset' || key === 'numbytes' ? [value] : []));
  const numbers = named.get('map')?.split(',') ?? each;
  const isKnown = version === '.' ? numbers.length > 0 : ['0.0', '0.1', '1.0'].includes(version);
  if (!isKnown) return undefined;
  const size = wholeNumber(named.get('size') ?? named.get('realsize') ?? '');
  return {
    name: named.get('name'),
    size,
    map: version === '1.0' ? undefined : extentsOf(numbers, size),
  };
}

/** The map at the beginning of what an archive has of a file, and where it ends; undefined for one that has not come yet. */
function readMap(head: Buffer, size: number): { readonly map: Extent[]; readonly end: number } | undefined {
  const lines = head.toString('latin1').split('\n').slice(0, -1);
  const [count] = lines;
  const wanted = count === undefined ? Infinity : 1 + 2 * wholeNumber(count);
  if (lines.length < wanted) return undefined;
  const numbers = lines.slice(1, wanted);
  const length = lines.slice(0, wanted).reduce((sum, line) => sum + line.length + 1, 0);
  const end = Math.ceil(length / BLOCK) * BLOCK;
  return head.length < end ? undefined : { map: extentsOf(numbers, size), end };
}

function extentsOf(numbers: readonly string[], size: number): Extent[] {
  if (numbers.length % 2 === 1) throw damaged();
  const extents: Extent[] = [];
  let position = 0;
  for (let at = 0; at < numbers.length; at += 2) {
    const offset = wholeNumber(numbers[at] ?? '');
    const length = wholeNumber(numbers[at + 1] ?? '');
    if (offset < position || offset + length > size) throw damaged();
    position = offset + length;
    if (length > 0) extents.push({ offset, length });
  }
  return extents;
}

function wholeNumber(text: string): number {
  const value = /^\d{1,14}$/.test(text) ? Number(text) : Infinity;
  if (value > MAX_SIZE) throw damaged();
  return value;
}

function damaged(): LayerError {
  return new LayerError('invalid-archive', 'the map of a sparse file in the archive is not valid');
}

/** What becomes of the parts of a sparse file. */
export interface SparseTarget {
  data(chunk: Buffer): void;
  /** @param length how many bytes of zeros come next */
  hole(length: number): void;
}

/** Puts the bytes that an archive has of a sparse file where they belong. */
export class SparseContent {
  readonly #target: SparseTarget;
  readonly #size: number;
  #map: readonly Extent[] | undefined;
  /** What has come of the map. */
  #head: Buffer = Buffer.alloc(0);
  #position = 0;
  #at = 0;

  constructor({ size, map }: SparseRecords, target: SparseTarget) {
    this.#target = target;
    this.#size = size;
    this.#map = map;
  }

  /** Takes the next bytes of the archive. */
  push(chunk: Buffer): void {
    let left = this.#map === undefined ? this.#takeMap(chunk) : chunk;
    while (left.length > 0) {
      const extent = this.#map?.[this.#at];
      if (extent === undefined) throw damaged();
      this.#skipTo(extent.offset);
      const end = extent.offset + extent.length;
      const part = left.subarray(0, end - this.#position);
      this.#target.data(part);
      this.#position += part.length;
      if (this.#position === end) this.#at++;
      left = left.subarray(part.length);
    }
  }

  /** Ends the file. @throws LayerError where bytes of it are missing */
  finish(): void {
    if (this.#map === undefined || this.#at < this.#map.length) throw damaged();
    this.#skipTo(this.#size);
  }

  /** Reads the map. @returns what comes after it */
  #takeMap(chunk: Buffer): Buffer {
    this.#head = Buffer.concat([this.#head, chunk]);
    const read = readMap(this.#head, this.#size);
    if (read === undefined && this.#head.length > MAX_MAP) throw damaged();
    this.#map = read?.map;
    return this.#head.subarray(read?.end ?? this.#head.length);
  }

  #skipTo(offset: number): void {
    if (offset <= this.#position) return;
    this.#target.hole(offset - this.#position);
    this.#position = offset;
  }
}
