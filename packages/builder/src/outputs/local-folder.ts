import {
  chmodSync,
  createReadStream,
  createWriteStream,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { finished as ended, pipeline } from 'node:stream/promises';
import { fsPath, hostPath, inFolder, type Content, type DirectoryEntry, type HostPath } from '@caisson/layer';
import { errorCode, makeFolders, setTimes } from '@caisson/sys';
import type { FolderRequest } from '../request.ts';
import { outputError } from './destination.ts';
import { flatFiles, type FlatFile } from './flat-files.ts';
import { placed, type Finished, type FinishedImage } from './output.ts';

/** In bytes. */
const READ_CHUNK = 1 << 20;

/** `type=local`: the files of an image in a folder, those of several in a folder below it each. */
export async function writeLocalFolders(
  finished: Finished,
  { destination }: FolderRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { image, folder } of placed(finished))
    await writeLocalFolder(image, join(destination, folder), signal);
}

/**
 * Writes files that belong to who runs this. What is there and not in the image stays. Nothing is written through a link: one
 * that is in the way is replaced. Device nodes are left out.
 */
async function writeLocalFolder(
  image: FinishedImage,
  destination: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    makeFolders(destination);
    const root = hostPath(destination);
    const folders: DirectoryEntry[] = [];
    for await (const file of flatFiles(image)) {
      signal?.throwIfAborted();
      if (file.entry.type === 'directory') folders.push(file.entry);
      await writeOne(root, file, signal);
    }
    for (const folder of folders.toReversed()) {
      const at = fsPath(inFolder(root, folder.path));
      chmodSync(at, folder.mode);
      setTimes(at, folder.mtime);
    }
  } catch (error) {
    throw outputError(destination, error);
  }
}

async function writeOne(
  root: HostPath,
  { entry, linkTo, content }: FlatFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (entry.type === 'char' || entry.type === 'block' || entry.type === 'fifo') return;
  const at = fsPath(inFolder(root, entry.path));
  const there = lstatSync(at, { throwIfNoEntry: false });
  if (entry.type === 'directory') {
    if (there?.isDirectory() === true) return;
    if (there !== undefined) rmSync(at);
    mkdirSync(at, { mode: 0o700 });
    return;
  }
  if (there !== undefined) rmSync(at, { recursive: true });
  if (linkTo !== undefined) {
    linkSync(fsPath(inFolder(root, linkTo)), at);
    return;
  }
  if (entry.type === 'symlink') symlinkSync(Buffer.from(entry.target, 'latin1'), at);
  else if (entry.type === 'file') {
    await writeContent(at, entry.size, content, signal);
    chmodSync(at, entry.mode);
  }
  setTimes(at, entry.mtime);
}

/** Of a file that is not written to its end nothing is left. */
async function writeContent(
  at: string | Buffer,
  size: number,
  content: Content | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const target = createWriteStream(at, { flags: 'wx', mode: 0o600 });
  if (content?.kind !== 'file' || size === 0) {
    target.end();
    await ended(target);
    return;
  }
  const { path, offset = 0 } = content;
  const range = { start: offset, end: offset + size - 1, highWaterMark: READ_CHUNK };
  try {
    await pipeline(createReadStream(fsPath(path), range), target, { ...(signal && { signal }) });
  } catch (error) {
    // What somebody else put there meanwhile is his.
    if (errorCode(error) !== 'EEXIST') rmSync(at, { force: true });
    throw error;
  }
}
