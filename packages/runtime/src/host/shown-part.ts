import { lstatSync } from 'node:fs';
import { fsPath } from '@caisson/layer';
import { RuntimeError } from '../errors.ts';
import { RootFolder } from './root-folder.ts';

/**
 * Where the file or folder lies that a bind mount shows of a stack of layers.
 * @param root the layers, mounted or copied
 * @throws RuntimeError `unsafe-path`
 */
export function shownPart(root: string, path: string): string {
  const shown = new RootFolder(root);
  const { path: at, kind } = shown.follow(path);
  if (kind === undefined) throw new RuntimeError('unsafe-path', `there is no ${path} to be mounted`);
  const source = fsPath(shown.locate(at));
  if (typeof source !== 'string' || (!lstatSync(source).isDirectory() && !lstatSync(source).isFile()))
    throw new RuntimeError('unsafe-path', `${path} is neither a file nor a folder that can be mounted`);
  return source;
}
