import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StorePaths } from './paths.ts';

/** Beside a cache that was moved to where a step uses it: a file that says where that is. */
const AWAY = '.away';

/** Brings a cache back that somebody moved away who has died since. The caller holds it. */
export function bringBack(path: string): void {
  const note = `${path}${AWAY}`;
  if (!existsSync(note)) return;
  try {
    renameSync(readFileSync(note), path);
  } catch {
    // It is not there any more, or another one has taken its place.
  }
  rmSync(note, { force: true });
}

/** Brings back what was moved into a folder that is about to be removed. */
export function bringBackFrom(folder: string, { cacheMounts }: StorePaths): void {
  if (!existsSync(cacheMounts)) return;
  for (const name of readdirSync(cacheMounts)) {
    if (!name.endsWith(AWAY)) continue;
    const path = join(cacheMounts, name.slice(0, -AWAY.length));
    if (placeOf(`${path}${AWAY}`).startsWith(`${folder}/`)) bringBack(path);
  }
}

function placeOf(note: string): string {
  try {
    return readFileSync(note, 'latin1');
  } catch {
    return '';
  }
}
