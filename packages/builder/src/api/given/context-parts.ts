import { Readable } from 'node:stream';
import { suggest } from '@caisson/parser';
import type { ContextPiece } from '../../context/given-context.ts';
import type { ContextEntry, ContextFile, ContextTree } from '../build-options.ts';
import { checkOptions } from '../check-options.ts';
import { optionError } from '../error.ts';
import { CONTEXT_FILE, contextFile } from '../option-schemas.ts';
import type { ContextPart } from '../thread/protocol.ts';

/** A context that comes part by part: parts are small, so that sending one takes no time. */
export interface GivenParts {
  next(): Promise<ContextPart>;
  /** No more of it is wanted. What the caller's own iterator is at is not waited for: it may never end. */
  stop(): void;
}

/** How much a part holds: bytes, and files. */
const MOST_BYTES = 1 << 18;
const MOST_FILES = 256;

/** The parts of a tree in memory. @throws CaissonError `invalid-request` when a part is asked for that is none */
export function partsOfTree(tree: ContextTree): GivenParts {
  return partsOf(piecesOfTree(tree));
}

/** The parts of a stream of bytes or of entries: what comes first says of which. */
export function partsOfStream(items: AsyncIterable<unknown>): GivenParts {
  return partsOf(piecesOfStream(items), () => {
    // A stream of Node that nothing comes from would wait for its iterator.
    if (items instanceof Readable) items.destroy();
  });
}

type Piece = ContextPiece | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

type Taken = IteratorResult<Piece, undefined>;

function partsOf(
  pieces: AsyncGenerator<Piece, undefined> | Generator<Piece, undefined>,
  onStop: () => void = () => {},
): GivenParts {
  let next: Promise<Taken> | undefined;
  const take = async (): Promise<Taken> => {
    const taken: Taken = await pieces.next();
    return taken;
  };
  return {
    async next() {
      const part: ContextPiece[] = [];
      let size = 0;
      for (;;) {
        next ??= take();
        const { done, value } = await next;
        if (done === true) return part.length === 0 ? { kind: 'end' } : { kind: 'pieces', pieces: part };
        if (value.kind === 'bytes') {
          next = undefined;
          return { kind: 'bytes', bytes: value.bytes };
        }
        const bytes = 'bytes' in value ? value.bytes.length : 0;
        if (part.length > 0 && size + bytes > MOST_BYTES) return { kind: 'pieces', pieces: part };
        next = undefined;
        part.push(value);
        size += bytes;
        if (part.length === MOST_FILES) return { kind: 'pieces', pieces: part };
      }
    },
    stop() {
      void Promise.resolve(pieces.return(undefined)).catch(() => {});
      onStop();
    },
  };
}

function* piecesOfTree(tree: ContextTree): Generator<Piece, undefined> {
  // Not by entries, of which 100,000 would block the caller for a tenth of a second.
  for (const path of Object.keys(tree)) {
    const file = tree[path];
    const plain = typeof file === 'string' || file instanceof Uint8Array;
    yield* piecesOf(path, plain ? { content: file } : fileOfTree(path, file));
  }
}

async function* piecesOfStream(items: AsyncIterable<unknown>): AsyncGenerator<Piece, undefined> {
  let index = 0;
  let isArchive: boolean | undefined;
  for await (const item of items) {
    const isBytes = item instanceof Uint8Array;
    isArchive ??= isBytes;
    if (isArchive !== isBytes) throw new Error('it gave bytes of an archive as well as entries');
    if (isBytes) yield* bytesOf(item);
    else {
      const { path, ...file } = entryOf(item, `entry ${index} of options.context`);
      yield* piecesOf(path, file);
    }
    index++;
  }
}

function* bytesOf(bytes: Uint8Array): Generator<Piece, undefined> {
  for (let at = 0; at < bytes.length; at += MOST_BYTES) yield { kind: 'bytes', bytes: pieceOf(bytes, at) };
}

function checkFile(file: unknown, what: string): ContextFile {
  return checkOptions(contextFile, file, what);
}

/** The same for a tree, in which folders are not written as trees of their own. */
function fileOfTree(path: string, file: unknown): ContextFile {
  const what = `options.context[${JSON.stringify(path)}]`;
  const names = typeof file === 'object' && file !== null && !Array.isArray(file) ? Object.keys(file) : [];
  const [name] = names;
  const isTree = name !== undefined && !names.some((each) => suggest(each, FILE_MEMBERS) !== undefined);
  if (!isTree) return checkFile(file, what);
  throw optionError(`${what} is an object`, {
    expected: CONTEXT_FILE,
    suggestion: `{ ${JSON.stringify(`${path}/${name}`)}: ... }`,
  });
}

const FILE_MEMBERS = ['content', 'symlink', 'folder', 'mode', 'mtime'];

function entryOf(item: unknown, what: string): ContextEntry {
  const { path, ...file }: Partial<Record<string, unknown>> =
    typeof item === 'object' && item !== null ? { ...item } : {};
  if (typeof path !== 'string') throw new Error(`${what} is neither bytes nor an entry with a path`);
  return { path, ...checkFile(file, what) };
}

function* piecesOf(path: string, file: ContextFile): Generator<ContextPiece> {
  const mtime = file.mtime === undefined ? undefined : Number(file.mtime);
  if ('symlink' in file) yield { kind: 'symlink', path, mtime, target: file.symlink };
  else if ('folder' in file) yield { kind: 'folder', path, mtime, mode: file.mode ?? 0o755 };
  else {
    const bytes = typeof file.content === 'string' ? new TextEncoder().encode(file.content) : file.content;
    yield { kind: 'file', path, mtime, mode: file.mode ?? 0o644, bytes: pieceOf(bytes, 0) };
    for (let at = MOST_BYTES; at < bytes.length; at += MOST_BYTES)
      yield { kind: 'more', bytes: pieceOf(bytes, at) };
  }
}

/** A copy: a part of a buffer would be sent with all of it. */
function pieceOf(bytes: Uint8Array, at: number): Uint8Array {
  return new Uint8Array(bytes.subarray(at, at + MOST_BYTES));
}
