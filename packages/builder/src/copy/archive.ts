import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, open, stat, statfs } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import {
  applyLayer,
  ChainView,
  decompressed,
  fsPath,
  hostPath,
  inFolder,
  LayerError,
  sizeOfFiles,
  type Applied,
  type ApplyRequest,
  type BytePath,
  type Content,
  type Entry,
  type Found,
  type HostPath,
  type NodeEntry,
} from '@caisson/layer';
import { errorCode } from '@caisson/sys';
import { buildError } from '../failure.ts';
import { NAME_TOO_LONG, whyNotOnDisk } from './disk-limits.ts';
import { ViewTree } from './view-tree.ts';
import type { SourceTree } from './source-tree.ts';

/** What unpacks what Node does not: by how the file begins (latin1), and the Debian package that has it. */
const PROGRAMS = [
  { magic: 'BZh', program: 'bzip2', args: ['-dc'], debian: 'bzip2' },
  {
    magic: '\u00fd7zXZ\u0000',
    program: 'xz',
    // An archive says how much memory it wants; what xz makes unless told otherwise wants 65 MiB at most.
    args: ['-dc', '--memlimit-decompress=1GiB'],
    debian: 'xz-utils',
  },
] as const;

const BLOCK = 512;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
/** How much of a gzip is looked at, in bytes: the header of a tar is in it. */
const GZIP_HEAD = 4096;
const MOST_SAID = 4096;
const READ_CHUNK = 1 << 20;
/** In bytes. What is larger is decompressed by a thread of its own. */
const LARGE = 4 << 20;

/** What is in an archive. */
export interface OpenedArchive {
  readonly tree: SourceTree;
  /** Folders that it says nothing of, but has something in. */
  readonly implied: ReadonlySet<BytePath>;
}

/**
 * Reads an archive as ADD does: tar, plain or compressed, told by its content. It may have as many bytes as the disk has
 * room for, holes too: a few compressed ones may stand for any number.
 * @param name what people call it
 * @param folder a path for what is made of it; nothing is there yet
 * @returns what is in it; undefined for a file that is no archive
 * @throws BuildError `bad-archive`, `no-space`
 */
export async function openArchive(
  path: HostPath,
  name: string,
  folder: string,
  signal: AbortSignal,
): Promise<OpenedArchive | undefined> {
  if (!(await isTar(path, name))) return undefined;
  await mkdir(folder, { mode: 0o755 });
  const root = hostPath(folder);
  const tar = inFolder(root, 'tar');
  // Its files are not made: their bytes are read where they lie in it.
  const { toc, implied } = await read({ path, name, to: { scratch: tar }, folder, signal });
  for (const entry of toc.entries) {
    const why = whyNotOnDisk(entry);
    if (why !== undefined) throw badArchive(name, why);
  }
  let contentOf = ({ node }: Found): Content => ({ kind: 'file', path: tar, ...offsetOf(node) });
  if (toc.entries.some(hasHoles)) {
    const tree = inFolder(root, 'files');
    await mkdir(fsPath(tree), { mode: 0o755 });
    await read({ path, name, to: { tree }, folder, signal });
    contentOf = ({ node }) => ({ kind: 'file', path: inFolder(tree, node.path) });
  }
  const view = new ViewTree(name, new ChainView([toc]), (found) => Promise.resolve(contentOf(found)));
  return { tree: view, implied };
}

/**
 * Unpacks an archive that is a build context, with the bounds of {@link openArchive}.
 * @returns whether it was one
 * @throws BuildError `bad-archive`, `no-space`
 */
export async function unpackArchive(
  path: HostPath,
  name: string,
  folder: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await isTar(path, name))) return false;
  await mkdir(folder, { mode: 0o755 });
  await read({ path, name, to: { tree: hostPath(folder) }, folder, signal });
  return true;
}

interface Reading {
  readonly path: HostPath;
  readonly name: string;
  /** What is made of it. */
  readonly to: Pick<ApplyRequest, 'scratch' | 'tree'>;
  /** Where that is made. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function read({ path, name, to, folder, signal }: Reading): Promise<Applied> {
  const { bavail, bsize } = await statfs(folder);
  const limit = bavail * bsize;
  const check = (size: number): void => {
    if (size > limit) throw tooLarge(name, limit);
  };
  try {
    const applied = await applyLayer({
      source: await plainBytes(path, name),
      isLarge: (await stat(fsPath(path))).size >= LARGE,
      below: new ChainView([]),
      ...to,
      contentBelow: () => {
        throw new Error('Internal error: an archive lies on nothing');
      },
      onRead: check,
      signal,
    });
    // Holes that an archive says it has are not among its bytes.
    check(sizeOfFiles(applied.toc.entries));
    return applied;
  } catch (error) {
    if (error instanceof LayerError) throw badArchive(name, error.message, error);
    throw errorCode(error) === 'ENAMETOOLONG' ? badArchive(name, NAME_TOO_LONG, error) : error;
  }
}

function badArchive(name: string, why: string, cause?: unknown): Error {
  return buildError('bad-archive', `the archive ${name} cannot be unpacked: ${why}`, {}, cause);
}

/** Whether the bytes of a file do not lie in the archive as they are. */
function hasHoles(entry: Entry): boolean {
  return entry.type === 'file' && entry.offset === undefined;
}

function offsetOf(node: NodeEntry): { offset?: number } {
  return node.type === 'file' && node.offset !== undefined ? { offset: node.offset } : {};
}

function tooLarge(name: string, limit: number): Error {
  const room = `${Math.floor(limit / (1 << 20))} MiB`;
  return buildError('no-space', `the archive ${name} is larger than the space that is left on the disk`, {
    expected: `at most ${room} when it is unpacked`,
    hint: 'caisson prune frees what no image needs; CAISSON_ROOT names another folder for the store',
  });
}

/** Whether the first block of what is in a file is a header of tar. */
async function isTar(path: HostPath, name: string): Promise<boolean> {
  const gzipped = await beginningOfGzip(path);
  if (gzipped !== undefined) return hasHeader(gzipped);
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of decompressed(await plainBytes(path, name))) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= BLOCK) break;
    }
  } catch (error) {
    if (error instanceof LayerError) return false; // it only looked compressed
    throw error;
  }
  return hasHeader(head);
}

function hasHeader(head: Buffer): boolean {
  return head.length >= BLOCK && hasTarChecksum(head.subarray(0, BLOCK));
}

/**
 * What the beginning of a gzip decompresses to; undefined for a file that is none. That the rest is damaged, down to its last
 * byte, makes it no other kind of file.
 */
async function beginningOfGzip(path: HostPath): Promise<Buffer | undefined> {
  const file = await open(fsPath(path));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(GZIP_HEAD), 0, GZIP_HEAD, 0);
    if (bytesRead < GZIP_MAGIC.length || !buffer.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC))
      return undefined;
    // Less and less of it: what is wrong may be at the end of what was read.
    for (let size = bytesRead; size > GZIP_MAGIC.length; size = Math.floor(size * 0.9)) {
      const plain = gunzipBeginning(buffer.subarray(0, size));
      if (plain !== undefined) return plain;
    }
    return Buffer.alloc(0);
  } finally {
    await file.close();
  }
}

/** @returns undefined where it is damaged */
function gunzipBeginning(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: GZIP_HEAD * 1100 });
  } catch {
    return undefined;
  }
}

/** @see POSIX.1-2001, pax: ustar header block, `chksum` */
function hasTarChecksum(block: Buffer): boolean {
  const stated = Number.parseInt(block.toString('latin1', 148, 156).replaceAll('\0', ' ').trim(), 8);
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  return stated === sum;
}

/** The bytes of a file; those of bzip2 and xz go through their own programs. */
async function plainBytes(path: HostPath, name: string): Promise<AsyncIterable<Uint8Array>> {
  const file = await open(fsPath(path));
  let head: string;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    head = buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
  const found = PROGRAMS.find(({ magic }) => head.startsWith(magic));
  return found === undefined
    ? chunksOf(createReadStream(fsPath(path), { highWaterMark: READ_CHUNK }))
    : through(found, path, name);
}

async function* chunksOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) if (chunk instanceof Uint8Array) yield chunk;
}

async function* through(
  { program, args, debian }: (typeof PROGRAMS)[number],
  path: HostPath,
  name: string,
): AsyncGenerator<Uint8Array> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    if (said.length < MOST_SAID) said += text;
  });
  const ended = new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    child.once('close', (code) => resolve(code ?? 1));
  });
  const source = createReadStream(fsPath(path), { highWaterMark: READ_CHUNK });
  child.stdin.on('error', () => source.destroy()); // it has seen enough, or is not there
  source.pipe(child.stdin);
  try {
    yield* chunksOf(child.stdout);
    const end = await ended;
    if (end === 'ENOENT') {
      throw buildError('bad-archive', `${program} is needed to unpack ${name}, and is not installed`, {
        hint: `apt-get install ${debian}`,
      });
    }
    if (end === 0) return;
    const why = /memory usage limit/i.test(said) ? 'it wants more than 1 GiB of memory' : 'it is damaged';
    throw buildError('bad-archive', `${program} cannot unpack ${name}: ${why}`);
  } finally {
    source.destroy();
    child.kill('SIGKILL');
  }
}
