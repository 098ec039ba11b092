import { open, rename, rm } from 'node:fs/promises';
import { diskError } from './disk-error.ts';
import type { Session } from './session.ts';

/** Writes a small file whole or not at all: readers see the old one or the new one; where it is `synced`, also after a power cut. */
export async function writeDocument(
  session: Session,
  path: string,
  text: string,
  durability: 'synced' | 'cached',
): Promise<void> {
  const tmp = session.newPath('document');
  try {
    const file = await open(tmp, 'wx', 0o600);
    try {
      await file.writeFile(text);
      if (durability === 'synced') await file.datasync();
    } finally {
      await file.close();
    }
    await rename(tmp, path);
  } catch (error) {
    await rm(tmp, { force: true });
    throw diskError(error, `cannot write ${path}`);
  }
}
