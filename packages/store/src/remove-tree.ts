import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';

/**
 * Removes a folder with all that is in it. A step may leave paths that are too long to be named from the root; rm(1)
 * goes down step by step and gets them too.
 */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    removeStepByStep(path, error);
  }
}

/** As {@link removeTree}, without blocking the thread while the folder is of the usual kind. */
export async function removeTreeLater(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    removeStepByStep(path, error);
  }
}

/** @param error why it could not be removed before: where this fails too, that is what is wrong */
function removeStepByStep(path: string, error: unknown): void {
  const { status } = spawnSync('rm', ['-rf', '--', path], { stdio: 'ignore' });
  if (status !== 0) throw error;
}
