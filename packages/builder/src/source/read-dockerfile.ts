import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bytesOf, fsPath, hostPath, inFolder, resolveInRoot, type BytePath, type Kind } from '@caisson/layer';
import { createIgnoreMatcher } from '@caisson/parser';
import { errorCode } from '@caisson/sys';
import type { IgnoreRules } from '../context/ignore-rules.ts';
import { NO_RULES } from '../context/ignore-rules.ts';
import { buildError } from '../failure.ts';
import type { BuildRequest } from '../request.ts';

/** A Dockerfile as it was read. */
export interface DockerfileText {
  /** As people call it: relative to the context where it lies there. */
  readonly path: string;
  readonly text: string;
  readonly ignore: IgnoreRules;
}

const MAX_SIZE = 16 << 20;

/**
 * Reads the Dockerfile, and the ignore file that goes with it: `NAME.dockerignore` beside it, else `.dockerignore` in
 * the context.
 * @throws BuildError `no-dockerfile`, `invalid-request`
 */
export function readDockerfile({
  context,
  dockerfile: given,
  dockerfileText: givenText,
  usesIgnoreFile = true,
}: Pick<BuildRequest, 'context' | 'dockerfile' | 'dockerfileText' | 'usesIgnoreFile'>): DockerfileText {
  checkContext(context);
  const ignoreFor = (path: string): IgnoreRules => (usesIgnoreFile ? readIgnore(context, path) : NO_RULES);
  if (givenText !== undefined) {
    return { path: 'Dockerfile', text: givenText, ignore: ignoreFor(join(context, 'Dockerfile')) };
  }
  const path = given ?? defaultDockerfile(context);
  const shown = shownPath(context, path);
  const text = readText(path, shown);
  return { path: shown, text, ignore: ignoreFor(path) };
}

function checkContext(context: string): void {
  const stat = statSync(context, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw buildError('invalid-request', `there is no folder ${context}`, {
      expected: 'the folder of the build context',
    });
  }
  if (stat.isDirectory()) return;
  throw buildError('invalid-request', `${context} is no folder`, {
    expected: 'the folder of the build context',
  });
}

function defaultDockerfile(context: string): string {
  const names = ['Dockerfile', 'dockerfile'].map((name) => join(context, name));
  const found = names.find((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  if (found !== undefined) return found;
  throw buildError('no-dockerfile', `there is no Dockerfile in ${context}`, {
    hint: 'the last argument is the folder of the context; -f names a Dockerfile that is called otherwise',
  });
}

function readText(path: string, shown: string): string {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw buildError('no-dockerfile', `${shown} is no file`);
    if (stat.size > MAX_SIZE)
      throw buildError('no-dockerfile', `${shown} is larger than ${MAX_SIZE >> 20} MiB`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw buildError('no-dockerfile', `there is no Dockerfile ${shown}`, {}, error);
    }
    if (code === 'EACCES') throw buildError('no-dockerfile', `${shown} cannot be read`, {}, error);
    throw error;
  }
}

function shownPath(context: string, path: string): string {
  const inside = relative(context, path);
  return inside.startsWith('..') ? path : inside;
}

function readIgnore(context: string, dockerfile: string): IgnoreRules {
  const own = `${dockerfile}.dockerignore`;
  if (lstatSync(own, { throwIfNoEntry: false })?.isFile() === true)
    return rulesOf(own, shownPath(context, own));
  const common = fileInside(context, '.dockerignore');
  return common === undefined ? NO_RULES : rulesOf(common, '.dockerignore');
}

/** A file of a folder, links followed inside it only: a checkout must not make us read the host's files. */
function fileInside(folder: string, name: string): string | Buffer | undefined {
  const root = hostPath(folder);
  const inspect = (at: BytePath): Kind | undefined => {
    const where = inFolder(root, at);
    const stat = lstatSync(fsPath(where), { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (stat.isSymbolicLink()) return { type: 'symlink', target: readlinkSync(fsPath(where), 'latin1') };
    return { type: stat.isDirectory() ? 'directory' : 'other' };
  };
  const resolved = resolveInRoot(inspect, bytesOf(name), 'follow');
  if (!resolved.ok || resolved.kind?.type !== 'other') return undefined;
  const path = fsPath(inFolder(root, resolved.path));
  return lstatSync(path).isFile() ? path : undefined;
}

function rulesOf(file: string | Buffer, path: string): IgnoreRules {
  const matcher = createIgnoreMatcher(readFileSync(file, 'utf8'));
  const problem = matcher.diagnostics.find(({ severity }) => severity === 'error');
  if (problem === undefined) return { ...matcher, path };
  const place = { path, source: matcher.source, range: problem.range };
  throw buildError('invalid-dockerfile', problem.message, { place });
}
