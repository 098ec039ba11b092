import { access, constants, lstat, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '@caisson/sys';
import type { BuildRequest, OutputRequest } from '../request.ts';
import { filePlace } from './file-place.ts';
import { reasonFor, STANDARD_OUTPUT, unwritable } from './destination.ts';
import { isLayoutFolder } from './image-layout.ts';

/** What says where a build writes. */
type Destinations = Pick<BuildRequest, 'root' | 'outputs' | 'cacheTo'>;

/**
 * Looks at the folders of outputs: what cannot be written there is told before anything is built.
 * @throws BuildError `output`
 */
export async function checkDestinations(request: Destinations): Promise<void> {
  const made = foldersMadeBy(request);
  for (const output of request.outputs ?? []) {
    const { destination } = output;
    if (typeof destination !== 'string' || destination === STANDARD_OUTPUT) continue;
    const folder = folderOf(output);
    const reason =
      folder === undefined ? await fileProblem(destination, made) : await madeProblem(folder, destination);
    if (reason !== undefined) throw unwritable(destination, reason);
  }
}

/**
 * Why a program could not write a file after a build, or write over what is there, as far as that can be seen before it.
 * @returns undefined where nothing speaks against it
 */
export async function whyNotWritable(path: string, request: Destinations): Promise<string | undefined> {
  try {
    const there = await lstat(path);
    if (there.isSymbolicLink() && !(await exists(path))) return undefined; // made where it leads to
    if ((await stat(path)).isDirectory()) return reasonFor('EISDIR');
    await access(path, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT' ? folderProblem(dirname(path), foldersMadeBy(request)) : reasonFor(code);
  }
}

/** The folders that a build makes where they are missing, with those that they lie in. */
function foldersMadeBy({ root, outputs = [], cacheTo = [] }: Destinations): string[] {
  const caches = cacheTo.flatMap((cache) => (cache.type === 'local' ? [cache.folder] : []));
  return [root, ...caches, ...outputs.flatMap((output) => folderOf(output) ?? [])];
}

/** The folder that an output is, which is made; undefined for a file. */
function folderOf(output: OutputRequest): string | undefined {
  if (output.type === 'local') return output.destination;
  const { type, destination } = output;
  const isFolder = type === 'oci' && typeof destination === 'string' && isLayoutFolder(destination);
  return isFolder ? dirname(destination.replace(/\/+$/, '')) : undefined;
}

/** A file takes the place of a file; a device or a pipe is written to. */
async function fileProblem(given: string, made: readonly string[]): Promise<string | undefined> {
  try {
    const { kind, path } = await filePlace(given);
    if (kind === 'special') {
      await access(path, constants.W_OK);
      return undefined;
    }
    const problem = await folderProblem(dirname(path), made);
    if (problem !== undefined) return problem;
    return (await exists(path)) && (await stat(path)).isDirectory() ? reasonFor('EISDIR') : undefined;
  } catch (error) {
    return reasonFor(errorCode(error)) ?? 'it cannot be looked at';
  }
}

/** File systems in which the kernel alone makes files, whatever the modes say: of /proc, /sys and /dev/pts. */
const OF_THE_KERNEL: ReadonlySet<number> = new Set([0x9fa0, 0x6265_6572, 0x1cd1]);

async function folderProblem(folder: string, made: readonly string[]): Promise<string | undefined> {
  try {
    if (!(await stat(folder)).isDirectory()) return reasonFor('ENOTDIR');
    await access(folder, constants.W_OK | constants.X_OK);
    return OF_THE_KERNEL.has((await statfs(folder)).type) ? 'no file can be made there' : undefined;
  } catch (error) {
    const code = errorCode(error);
    const isMade = code === 'ENOENT' && made.some((each) => isBelow(each, folder) || isBelow(folder, each));
    return isMade ? undefined : reasonFor(code);
  }
}

/** Of a folder that is made, the nearest that is there counts. */
async function madeProblem(folder: string, destination: string): Promise<string | undefined> {
  let nearest = folder;
  while (nearest !== '/' && !(await exists(nearest))) nearest = dirname(nearest);
  const problem = await folderProblem(nearest, []);
  return problem === reasonFor('ENOTDIR') && nearest === destination ? 'it is a file' : problem;
}

/** Whether something is there. What cannot be looked at is. */
function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => errorCode(error) !== 'ENOENT',
  );
}

function isBelow(path: string, folder: string): boolean {
  const start = folder.endsWith('/') ? folder : `${folder}/`;
  return path === folder || path.startsWith(start);
}
