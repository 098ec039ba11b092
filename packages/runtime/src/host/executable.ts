import { lstatSync } from 'node:fs';
import { posix } from 'node:path';
import { fsPath } from '@caisson/layer';
import { DEFAULT_PATH } from '@caisson/oci';
import { RuntimeError } from '../errors.ts';
import type { BindMount, ProgramSpec } from '../sandbox-spec.ts';
import type { RootFolder } from './root-folder.ts';

/**
 * Finds the program of a step in the image, as the runtimes would, so that a missing one is said in the same words
 * whatever runs it.
 * @returns its path in the sandbox
 * @throws RuntimeError `no-such-command`, `not-executable`
 */
export function findExecutable(
  root: RootFolder,
  { args: [program = ''], cwd }: ProgramSpec,
  env: readonly string[],
  shown: readonly BindMount[],
): string {
  if (program.includes('/')) {
    const path = posix.resolve(cwd, program);
    if (isShownAt(path, shown)) return program;
    const kind = executableKind(root, path);
    if (kind === 'executable') return program;
    if (kind === 'not-executable') throw new RuntimeError(kind, `${program} is not executable`);
    throw noSuchCommand(program, `the image has no ${program}`);
  }
  const path = env.findLast((each) => each.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  for (const folder of path.split(':')) {
    const candidate = posix.resolve(cwd, folder, program);
    if (executableKind(root, candidate) === 'executable') return candidate;
  }
  throw noSuchCommand(program, `the image has no program ${JSON.stringify(program)} in its PATH (${path})`);
}

/** Whether a path lies in something that is mounted: it is not looked into from here, but left to who runs it. */
function isShownAt(path: string, shown: readonly BindMount[]): boolean {
  return shown.some(({ target, source }) =>
    path === target ? isExecutableFile(source) : path.startsWith(`${target}/`),
  );
}

function executableKind(root: RootFolder, path: string): 'executable' | 'not-executable' | 'missing' {
  const resolved = root.resolve(path);
  if (!resolved.ok || resolved.kind === undefined) return 'missing';
  return isExecutableFile(fsPath(root.locate(resolved.path))) ? 'executable' : 'not-executable';
}

function isExecutableFile(path: string | Buffer): boolean {
  const stats = lstatSync(path);
  return stats.isFile() && (stats.mode & 0o111) !== 0;
}

function noSuchCommand(program: string, message: string): RuntimeError {
  if (program !== '/bin/sh' && program !== '/bin/bash') return new RuntimeError('no-such-command', message);
  return new RuntimeError('no-such-command', message, {
    hint: 'an image without a shell needs the exec form: RUN ["/program", "argument"]',
  });
}
