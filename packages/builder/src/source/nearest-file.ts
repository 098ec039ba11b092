import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { suggest } from '@caisson/parser';

/**
 * What was most likely meant by the path of something that is not there: the nearest name in its folder.
 * @param path absolute
 * @param kind what it should be
 * @returns an absolute path; undefined where nothing is near
 */
export function nearestFile(path: string, kind: 'file' | 'folder'): string | undefined {
  const folder = dirname(path);
  const near = suggest(basename(path), namesIn(folder, kind));
  return near === undefined ? undefined : join(folder, near);
}

function namesIn(folder: string, kind: 'file' | 'folder'): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() === (kind === 'folder'))
      .map(({ name }) => name);
  } catch {
    return []; // a suggestion is no reason to fail
  }
}
