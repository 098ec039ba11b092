import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, open, statfs } from 'node:fs/promises';
import {
  applyLayer,
  ChainView,
  decompressed,
  fsPath,
  hostPath,
  inFolder,
  LayerError,
  sizeOfFiles,
  type BytePath,
  type HostPath,
} from '@caisson/layer';
import { errorCode } from '@caisson/sys';
import { buildError } from '../failure.ts';
import { bounded } from './bounded.ts';
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
const MOST_SAID = 4096;

/** What is in an archive. */
export interface Unpacked {
  readonly tree: SourceTree;
  /** Folders that it says nothing of, but has something in. */
  readonly implied: ReadonlySet<BytePath>;
}

/**
 * Unpacks an archive as ADD does: tar, plain or compressed, told by its content. It may have as many bytes as the disk has
 * room for, holes too: a few compressed ones may stand for any number.
 * @param name what people call it
 * @param folder a path for what is in it; nothing is there yet
 * @returns what is in it; undefined for a file that is no archive
 * @throws BuildError `bad-archive`, `no-space`
 */
export async function unpackArchive(
  path: HostPath,
  name: string,
  folder: string,
  signal: AbortSignal,
): Promise<Unpacked | undefined> {
  if (!(await isTar(path, name))) return undefined;
  await mkdir(folder, { mode: 0o755 });
  const tree = hostPath(folder);
  const { bavail, bsize } = await statfs(folder);
  const limit = bavail * bsize;
  const tooMany = (): Error => tooLarge(name, limit);
  try {
    const { toc, implied } = await applyLayer({
      source: bounded(decompressed(await plainBytes(path, name)), { limit, tooMany, signal }),
      below: new ChainView([]),
      tree,
      contentBelow: () => {
        throw new Error('Internal error: an archive lies on nothing');
      },
    });
    // Holes that an archive says it has are not among its bytes.
    if (sizeOfFiles(toc.entries) > limit) throw tooMany();
    const files = new ViewTree(name, new ChainView([toc]), ({ node }) =>
      Promise.resolve({ kind: 'file', path: inFolder(tree, node.path) }),
    );
    return { tree: files, implied };
  } catch (error) {
    const isTooLong = errorCode(error) === 'ENAMETOOLONG';
    if (!isTooLong && !(error instanceof LayerError)) throw error;
    const why = error instanceof LayerError ? error.message : 'it holds a name that is too long';
    throw buildError('bad-archive', `the archive ${name} cannot be unpacked: ${why}`, {}, error);
  }
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
  return head.length >= BLOCK && hasTarChecksum(head.subarray(0, BLOCK));
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
  return found === undefined ? chunksOf(createReadStream(fsPath(path))) : through(found, path, name);
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
  const source = createReadStream(fsPath(path));
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
