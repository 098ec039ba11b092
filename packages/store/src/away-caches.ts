import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StorePaths } from './paths.ts';

const AWAY = '.away';

/** The file that says where a cache is while its user has moved it. */
export function awayNote(path: string): string {
  return `${path}${AWAY}`;
}

/** Brings a cache back that somebody moved away who has died since. The caller holds it. */
export function bringBack(path: string): void {
  const note = awayNote(path);
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
    if (placeOf(awayNote(path)).startsWith(`${folder}/`)) bringBack(path);
  }
}

function placeOf(note: string): string {
  try {
    return readFileSync(note, 'latin1');
  } catch {
    return '';
  }
}
