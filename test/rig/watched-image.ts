import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { filesOfTar } from './image-files.ts';
import type { World } from './world.ts';

/** Writes the files of each image to a tar beside the context. */
export const OUT = ['-o', 'type=tar,dest=../out.tar'];

/** The files of the image that was written last, by path, with their content; folders are left out. */
async function written(world: World): Promise<Record<string, string>> {
  const path = join(world.folder, 'out.tar');
  if (!existsSync(path)) return {};
  const files = await filesOfTar(readFileSync(path)).catch(() => new Map<string, never>());
  return Object.fromEntries(
    [...files].flatMap(([name, { content }]): [string, string][] =>
      content === undefined ? [] : [[name, content]],
    ),
  );
}

/** Waits until the image has these files and no others. */
export function becomes(world: World, files: Record<string, string>): Promise<void> {
  return expect.poll(() => written(world), { timeout: 60_000, interval: 50 }).toEqual(files);
}
