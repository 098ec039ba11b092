import { open, type FileHandle } from 'node:fs/promises';

const CHUNK = 4 << 20;
/** After so many bytes the disk is waited for. */
const WRITTEN_OUT = 32 << 20;

/**
 * Copies a file a piece at a time, and waits until each piece is on the disk: who waits for all of the store meanwhile
 * waits for little of it, and it ends soon when it is told to.
 * @param to a new file
 * @throws whatever reading and writing throw, and the reason of the signal; what is there of the copy stays
 */
export async function copyInBackground(from: string, to: string, signal: AbortSignal): Promise<void> {
  await using source = await open(from, 'r');
  await using target = await open(to, 'wx', 0o600);
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; ;) {
    signal.throwIfAborted();
    const { bytesRead } = await source.read(buffer, 0, CHUNK, at);
    if (bytesRead === 0) break;
    await writeAll(target, buffer.subarray(0, bytesRead), at);
    at += bytesRead;
    if (at % WRITTEN_OUT === 0) await target.datasync();
  }
  await target.datasync();
}

async function writeAll(file: FileHandle, bytes: Uint8Array, start: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, start + at);
    at += bytesWritten;
  }
}
