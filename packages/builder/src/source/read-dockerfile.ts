import { lstatSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { errorCode } from '@caisson/sys';
import { NO_RULES, type IgnoreRules } from '../context/ignore-rules.ts';
import { buildError, type Failure } from '../failure.ts';
import { nearestFile } from './nearest-file.ts';
import { defaultDockerfile, fileInside, readIgnoreFor, shownPath } from './ignore-file.ts';

/** A Dockerfile as it was read. */
export interface DockerfileText {
  /** As people call it: relative to the context where it lies there. */
  readonly path: string;
  readonly text: string;
  readonly ignore: IgnoreRules;
}

/** How large a Dockerfile may be, in bytes. */
export const MAX_DOCKERFILE = 16 << 20;

/**
 * Reads the Dockerfile that goes with a folder of the user's, and the ignore file that goes with it.
 * @param given an absolute path; `Dockerfile` or `dockerfile` in the folder where there is none
 * @param givenText the Dockerfile itself, in place of a file
 * @throws BuildError `no-dockerfile`, `invalid-pattern`
 */
export function readLocalDockerfile(
  context: string,
  given: string | undefined,
  givenText: string | undefined,
): DockerfileText {
  if (givenText !== undefined) {
    const ignore = readIgnoreFor(context, join(context, 'Dockerfile'));
    return { path: 'Dockerfile', text: givenText, ignore };
  }
  const path = given ?? join(context, defaultDockerfile(context) ?? missingHere(context));
  const shown = shownPath(context, path);
  return { path: shown, text: readText(path, shown), ignore: readIgnoreFor(context, path) };
}

/**
 * Reads the Dockerfile of a context that came from elsewhere. Links lead nowhere but inside it, and ignore files do not
 * count, as with docker.
 * @param title what messages call the context
 * @param given a path in the context; or an absolute one, of a file of the user's
 * @throws BuildError `no-dockerfile`
 */
export function readForeignDockerfile(
  context: string,
  title: string,
  given: string | undefined,
): DockerfileText {
  if (given !== undefined && isAbsolute(given)) {
    return { path: given, text: readText(given, given), ignore: NO_RULES };
  }
  const name = given ?? defaultDockerfile(context) ?? missing(title, { hint: NAMED_OTHERWISE });
  const path = fileInside(context, name);
  const full = resolve(context, name);
  if (!full.startsWith(`${context}/`)) {
    throw buildError('no-dockerfile', `there is no Dockerfile ${name} in ${title}`, { hint: OUTSIDE });
  }
  const shown = shownPath(context, full);
  if (path === undefined) {
    const isThere = lstatSync(full, { throwIfNoEntry: false }) !== undefined;
    const message = isThere
      ? `${shown} is no file of ${title}`
      : `there is no Dockerfile ${shown} in ${title}`;
    // Folders of a foreign context may be links to elsewhere: only its own is looked into.
    throw buildError(
      'no-dockerfile',
      message,
      dirname(full) === context && !isThere ? nearest(full, shown) : {},
    );
  }
  return { path: shown, text: readText(path, shown), ignore: NO_RULES };
}

const OUTSIDE = '-f names a file of that context; an absolute path, one of this machine';
const NAMED_OTHERWISE = '-f names a Dockerfile that is called otherwise';

function missingHere(context: string): never {
  const near = nearestFile(join(context, 'Dockerfile'), 'file');
  return missing(context, {
    ...(near === undefined ? {} : { suggestion: `-f ${near}` }),
    hint: `the last argument is the folder of the context; ${NAMED_OTHERWISE}`,
  });
}

function missing(context: string, details: Pick<Failure, 'hint' | 'suggestion'>): never {
  throw buildError('no-dockerfile', `there is no Dockerfile in ${context}`, details);
}

/** A Dockerfile that is too large to be one. */
export function tooLarge(shown: string): Error {
  return buildError('no-dockerfile', `${shown} is larger than ${MAX_DOCKERFILE >> 20} MiB`, {
    expected: 'a Dockerfile',
  });
}

/**
 * The text of a Dockerfile that lies in a file.
 * @param shown what messages call it
 * @throws BuildError `no-dockerfile`
 */
export function readText(path: string | Buffer, shown: string): string {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw buildError('no-dockerfile', `${shown} is no file`);
    if (stat.size > MAX_DOCKERFILE) throw tooLarge(shown);
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw buildError('no-dockerfile', `there is no Dockerfile ${shown}`, nearest(path, shown), error);
    }
    if (code === 'EACCES') throw buildError('no-dockerfile', `${shown} cannot be read`, {}, error);
    throw error;
  }
}

function nearest(path: string | Buffer, shown: string): { readonly suggestion?: string } {
  const near = typeof path === 'string' ? nearestFile(path, 'file') : undefined;
  return near === undefined ? {} : { suggestion: join(dirname(shown), basename(near)) };
}
