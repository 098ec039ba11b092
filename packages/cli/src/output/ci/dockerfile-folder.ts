import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BuildRequest } from '@caisson/builder';

/**
 * The folder that the path of a Dockerfile is seen from: the context.
 * @returns undefined where the Dockerfile is no file of this machine that is seen from there
 */
export function dockerfileFolder(
  { context, dockerfile, dockerfileText }: Pick<BuildRequest, 'context' | 'dockerfile' | 'dockerfileText'>,
  cwd: string,
): string | undefined {
  const isElsewhere = dockerfileText !== undefined || /^https?:\/\//i.test(dockerfile ?? '');
  if (isElsewhere || typeof context !== 'string') return undefined;
  const folder = resolve(cwd, context);
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? folder : undefined;
}
