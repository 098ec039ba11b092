import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { bytesOf, fsPath, hostPath, inFolder, resolveInRoot, type BytePath, type Kind } from '@caisson/layer';
import { createIgnoreMatcher } from '@caisson/parser';
import { NO_RULES, type IgnoreRules } from '../context/ignore-rules.ts';
import { buildError } from '../failure.ts';

/**
 * The ignore file that goes with a Dockerfile: `NAME.dockerignore` beside it, else that of the context.
 * @throws BuildError `invalid-pattern`
 */
export function readIgnoreFor(context: string, dockerfile: string): IgnoreRules {
  const own = `${dockerfile}.dockerignore`;
  const inside = relative(context, own);
  // Beside a Dockerfile that lies elsewhere, it is a file of whoever named that.
  const file = inside.startsWith('..') ? existingFile(own) : fileInside(context, inside);
  return file === undefined ? readIgnore(context) : rulesOf(file, shownPath(context, own));
}

function existingFile(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? path : undefined;
}

/** The `.dockerignore` in the root of a context. @throws BuildError `invalid-pattern` */
export function readIgnore(context: string): IgnoreRules {
  const common = fileInside(context, '.dockerignore');
  return common === undefined ? NO_RULES : rulesOf(common, '.dockerignore');
}

/** A path as people call it: relative to the context where it lies there. */
export function shownPath(context: string, path: string): string {
  const inside = relative(context, path);
  return inside.startsWith('..') ? path : inside;
}

/** A file of a folder, links followed inside it only: a checkout must not make us read the host's files. */
export function fileInside(folder: string, name: string): string | Buffer | undefined {
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
  if (problem === undefined) return { ...matcher, path, text: matcher.source.text };
  const place = { path, source: matcher.source, range: problem.range };
  const { code, message, expected } = problem;
  throw buildError(code, message, { place, ...(expected === undefined ? {} : { expected }) });
}

/** Where the Dockerfile of a context lies when nobody names one; undefined where there is none. */
export function defaultDockerfile(context: string): string | undefined {
  return ['Dockerfile', 'dockerfile'].find(
    (name) => lstatSync(join(context, name), { throwIfNoEntry: false }) !== undefined,
  );
}
