import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/**
 * Where a program lies.
 * @param path folders, with colons between them; those that are no absolute paths do not count
 */
export function findProgram(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  return path
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
