import { statSync } from 'node:fs';
import { optionWords } from '../option-words.ts';
import { BuildError, type Failure } from '../failure.ts';
import type { BuildRequest } from '../request.ts';
import { nearestFile } from './nearest-file.ts';

/**
 * Looks whether the files are there from which steps get secrets and keys: whoever misspelt one is told before anything
 * is built, and not when the first step needs it, or never.
 * @throws BuildError `invalid-request`
 */
export function checkGivenFiles({ secrets = {}, ssh = {} }: Pick<BuildRequest, 'secrets' | 'ssh'>): void {
  const failures = [
    ...Object.entries(secrets).flatMap(([id, source]) =>
      source.kind === 'file'
        ? missing(`the secret ${JSON.stringify(id)}`, source.path, optionWords().secretFile(id))
        : [],
    ),
    ...Object.entries(ssh).flatMap(([id, paths]) =>
      paths.flatMap((path) =>
        missing(`the ssh agent ${JSON.stringify(id)}`, path, optionWords().agentFile(id)),
      ),
    ),
  ];
  if (failures.length > 0) throw new BuildError(failures);
}

function missing(what: string, path: string, expected: string): Failure[] {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return [];
  const near = nearestFile(path, 'file');
  return [
    {
      code: 'invalid-request',
      message: `${what}: there is no file ${path}`,
      expected,
      ...(near === undefined ? {} : { suggestion: near }),
    },
  ];
}
