import { crc32 } from 'node:zlib';
import { isDigest, type Digest } from '@caisson/oci';
import { baseName, cleanPath, compareBytes, parentOf, ROOT, type BytePath } from './byte-path.ts';
import type { Entry, Xattrs } from './entry.ts';
import { LayerError } from './errors.ts';

/** What is known of a layer beside what is in it, to make the next one of the same step with less to do. */
export interface TocNotes {
  /**
   * By folders of the layer that were copied, with all that is in them, from folders that were seen as a whole: how those
   * looked, and what was made of it. The same text, the same entries below.
   */
  readonly looks?: ReadonlyMap<BytePath, string> | undefined;
  /** What it has and another layer has not, or has otherwise, with the folders on the way: it may be more than that. */
  readonly beyond?: { readonly base: string; readonly paths: readonly BytePath[] } | undefined;
}

/**
 * The table of contents of one layer: what its tar holds, without the bytes of files. Folders on the way to an entry
 * are always entries themselves (for a base layer, with what the layers below say of them), but for the root.
 */
export class Toc {
  /** Bytewise by path. */
  readonly entries: readonly Entry[];
  readonly notes: TocNotes;
  #indexes: Map<BytePath, number> | undefined;
  /** Behind what was asked for last: most ask for one after another, and need no map of all. */
  #next = 0;
  #children: Map<BytePath, string[]> | undefined;
  #otherNames: Map<BytePath, number> | undefined;

  /** @param entries in any order, each path once */
  constructor(entries: readonly Entry[], notes: TocNotes = {}) {
    this.notes = notes;
    this.entries = isSorted(entries) ? entries : entries.toSorted((a, b) => compareBytes(a.path, b.path));
  }

  /** The entry of a path. */
  get(path: BytePath): Entry | undefined {
    const index = this.indexOf(path);
    return index === undefined ? undefined : this.entries[index];
  }

  /** Which of the entries is that of a path. */
  indexOf(path: BytePath): number | undefined {
    const index = this.#find(path);
    if (index !== undefined) this.#next = index + 1;
    return index;
  }

  #find(path: BytePath): number | undefined {
    if (this.entries[this.#next]?.path === path) return this.#next;
    if (this.entries[0]?.path === path) return 0;
    this.#indexes ??= new Map(this.entries.map((entry, index) => [entry.path, index]));
    return this.#indexes.get(path);
  }

  /** The entries below a folder, bytewise. */
  below(folder: BytePath): readonly Entry[] {
    const first = folder === ROOT ? '' : `${folder}/`;
    const start = this.#firstFrom(first);
    // '0' is the byte behind '/'.
    const end = folder === ROOT ? this.entries.length : this.#firstFrom(`${folder}0`);
    return this.entries.slice(start, end);
  }

  /** The first entry whose path does not come before a bound. */
  #firstFrom(bound: string): number {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const path = this.entries[middle]?.path;
      if (path !== undefined && path < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many hard links of this layer name a file. */
  otherNamesOf(path: BytePath): number {
    if (this.#otherNames === undefined) {
      this.#otherNames = new Map();
      for (const entry of this.entries) {
        if (entry.type !== 'hardlink') continue;
        this.#otherNames.set(entry.target, (this.#otherNames.get(entry.target) ?? 0) + 1);
      }
    }
    return this.#otherNames.get(path) ?? 0;
  }

  /** The names that this layer has in a folder, whiteouts among them (by the name that is gone). */
  namesIn(folder: BytePath): readonly string[] {
    if (this.#children === undefined) {
      this.#children = new Map();
      for (const { path } of this.entries) {
        const parent = parentOf(path);
        const names = this.#children.get(parent);
        if (names === undefined) this.#children.set(parent, [baseName(path)]);
        else names.push(baseName(path));
      }
    }
    return this.#children.get(folder) ?? [];
  }
}

function isSorted(entries: readonly Entry[]): boolean {
  return entries.every((entry, index) => {
    const before = entries[index - 1];
    return before === undefined || compareBytes(before.path, entry.path) < 0;
  });
}

/** Raised whenever the form below changes: an index of another version is made anew. */
const VERSION = 3;

/**
 * The form on disk: JSON, an array an entry. Names are latin1 text there, each character a byte. At its end is the CRC-32 of
 * what is before: a layer cannot say whether what is noted beside the entries is right.
 */
export function encodeToc(toc: Toc): string {
  return [...tocPieces(toc, toc.notes)].join('');
}

/** The same in pieces, one after another: of a large layer the whole takes more than all else that is known of it. */
export function* tocPieces(toc: Toc, notes: TocNotes = {}): Generator<string> {
  let check = 0;
  for (const piece of uncheckedPieces(toc, notes)) {
    check = crc32(piece, check);
    yield piece;
  }
  yield endOfForm(check);
}

function endOfForm(check: number): string {
  return `${CHECK}${check}}`;
}

const CHECK = ',"check":';

function* uncheckedPieces({ entries }: Toc, { looks, beyond }: TocNotes): Generator<string> {
  yield `{"version":${VERSION},"entries":[`;
  for (let at = 0; at < entries.length; at += PIECE) {
    const rows = JSON.stringify(entries.slice(at, at + PIECE).map(encodeEntry));
    yield `${at === 0 ? '' : ','}${rows.slice(1, -1)}`;
  }
  yield ']';
  if (looks !== undefined && looks.size > 0) yield `,"looks":${JSON.stringify([...looks])}`;
  if (beyond !== undefined) yield `,"beyond":${JSON.stringify([beyond.base, beyond.paths])}`;
}

/** How many entries are written at once. */
const PIECE = 1000;

function encodeEntry(entry: Entry): unknown[] {
  if (entry.type === 'whiteout') return [entry.path, 'whiteout'];
  if (entry.type === 'hardlink') return [entry.path, 'hardlink', entry.target];
  const { mode, uid, gid, mtime } = entry;
  const head = [
    entry.path,
    entry.type,
    mode,
    uid,
    gid,
    mtime.seconds,
    mtime.nanoseconds,
    encodeXattrs(entry.xattrs),
  ];
  switch (entry.type) {
    case 'file':
      return [...head, entry.size, entry.digest ?? 0, entry.offset ?? -1];
    case 'directory':
      return [...head, entry.opaque === true ? 1 : 0];
    case 'symlink':
      return [...head, entry.target];
    case 'char':
    case 'block':
      return [...head, entry.major, entry.minor];
    case 'fifo':
      return head;
  }
}

function encodeXattrs(xattrs: Xattrs | undefined): 0 | [string, string][] {
  if (xattrs === undefined) return 0;
  return [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
}

/** Reads what {@link encodeToc} wrote. Throws {@link LayerError} `invalid-index` for anything else. */
export function decodeToc(json: string): Toc {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    throw new LayerError('invalid-index', 'a table of contents is not JSON', { cause });
  }
  if (
    typeof document !== 'object' ||
    document === null ||
    !('version' in document) ||
    !('entries' in document)
  ) {
    throw damaged();
  }
  const { version, entries } = document;
  if (version !== VERSION || !Array.isArray(entries) || !isAsWritten(json)) throw damaged();
  return new Toc(entries.map(decodeEntry), {
    looks: 'looks' in document ? decodeLooks(document.looks) : undefined,
    beyond: 'beyond' in document ? decodeBeyond(document.beyond) : undefined,
  });
}

function isAsWritten(json: string): boolean {
  const end = json.lastIndexOf(CHECK);
  return end >= 0 && json.slice(end) === endOfForm(crc32(json.slice(0, end)));
}

function decodeLooks(value: unknown): ReadonlyMap<BytePath, string> {
  return new Map(
    list(value).map((pair): [BytePath, string] => {
      const [path, look] = list(pair);
      return [cleanPath(text(path)), text(look)];
    }),
  );
}

function decodeBeyond(value: unknown): NonNullable<TocNotes['beyond']> {
  const [base, paths] = list(value);
  return { base: text(base), paths: list(paths).map((path) => cleanPath(text(path))) };
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw damaged();
  return value;
}

function damaged(): LayerError {
  return new LayerError('invalid-index', 'a table of contents does not have the expected form');
}

function decodeEntry(fields: unknown): Entry {
  if (!Array.isArray(fields)) throw damaged();
  const row: readonly unknown[] = fields;
  const path = cleanPath(text(row[0]));
  const type = row[1];
  if (type === 'whiteout') return { path, type };
  if (type === 'hardlink') return { path, type, target: cleanPath(text(row[2])) };
  const mode = int(row[2]);
  const uid = int(row[3]);
  const gid = int(row[4]);
  const mtime = { seconds: int(row[5]), nanoseconds: int(row[6]) };
  const xattrs = decodeXattrs(row[7]);
  if (type === 'file') {
    const size = int(row[8]);
    const digest = fileDigest(row[9]);
    const offset = int(row[10]);
    // Nearly all are so, and one object made in one piece is cheaper.
    if (xattrs === undefined && digest !== undefined && offset >= 0)
      return { type, path, mode, uid, gid, mtime, size, digest, offset };
    const known = { ...(digest === undefined ? {} : { digest }), ...(offset < 0 ? {} : { offset }) };
    return { type, path, mode, uid, gid, mtime, size, ...(xattrs === undefined ? {} : { xattrs }), ...known };
  }
  const attributes = { path, mode, uid, gid, mtime, ...(xattrs === undefined ? {} : { xattrs }) };
  switch (type) {
    case 'directory':
      return { ...attributes, type, ...(row[8] === 1 ? { opaque: true } : {}) };
    case 'symlink':
      return { ...attributes, type, target: text(row[8]) };
    case 'char':
    case 'block':
      return { ...attributes, type, major: int(row[8]), minor: int(row[9]) };
    case 'fifo':
      return { ...attributes, type };
    default:
      throw damaged();
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw damaged();
  return value;
}

function int(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw damaged();
  return value;
}

function fileDigest(value: unknown): Digest | undefined {
  if (value === 0) return undefined;
  if (typeof value !== 'string' || !isDigest(value)) throw damaged();
  return value;
}

function decodeXattrs(value: unknown): Xattrs | undefined {
  if (value === 0) return undefined;
  return new Map(
    list(value).map((pair) => {
      const [name, bytes] = list(pair);
      return [text(name), Buffer.from(text(bytes), 'base64')];
    }),
  );
}
