import { lstatSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const BLOCK = 512;

/** What a file takes on the disk, in bytes; 0 where it is not there. */
export function fileUsage(path: string): number {
  return (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK;
}

/** What a folder and all in it take on the disk, in bytes. Of a file with several names, each counts its part. */
export async function treeUsage(path: string): Promise<number> {
  let total = fileUsage(path);
  let entries;
  try {
    entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
  } catch {
    return total; // it went away, or its path is too long to be named
  }
  for (const entry of entries) {
    const child = join(path, entry.name.toString('latin1'));
    const isPlain = Buffer.from(child, 'latin1').equals(Buffer.from(child, 'utf8'));
    if (!isPlain) total += BLOCK;
    else if (entry.isDirectory()) total += await treeUsage(child);
    else total += await sharedUsage(child);
  }
  return total;
}

async function sharedUsage(path: string): Promise<number> {
  try {
    const { blocks, nlink } = await lstat(path);
    return Math.round((blocks * BLOCK) / Math.max(1, nlink));
  } catch {
    return 0;
  }
}
