import { isDeepStrictEqual } from 'node:util';
import type { ExportedImage, LinkedFile } from '../../test/rig/exported-image.ts';

/** No file of a context or of a base image is as new as this: a build made it. */
export const NEW = Date.UTC(2024, 0);

const SHOWN = 2000;

/** Something in which two images of one case are not the same. */
export interface Difference {
  /** What differs: a path with its slash in front, `config.NAME`, `history`, `layers` or `outcome`. */
  readonly where: string;
  /** How, for people. */
  readonly how: string;
}

/**
 * Finds everything in which two images differ. A time counts only where docker kept the one that was there before.
 */
export function compareImages(theirs: ExportedImage, ours: ExportedImage): Difference[] {
  return [
    ...compareConfigs('config.', inner(theirs), inner(ours)),
    ...compareConfigs('', outer(theirs), outer(ours)),
    ...compareHistories(theirs, ours),
    ...(theirs.layers === ours.layers
      ? []
      : [{ where: 'layers', how: `docker ${theirs.layers}, ours ${ours.layers}` }]),
    ...compareFiles(theirs.files, ours.files),
  ];
}

type Members = Readonly<Record<string, unknown>>;

function inner({ config }: ExportedImage): Members {
  return { ...(typeof config['config'] === 'object' ? config['config'] : {}) };
}

/** `created` is a time of each build's own. */
function outer({ config: { config: _inner, created: _time, ...rest } }: ExportedImage): Members {
  return rest;
}

function compareConfigs(prefix: string, theirs: Members, ours: Members): Difference[] {
  return [...new Set([...Object.keys(theirs), ...Object.keys(ours)])].toSorted().flatMap((name) => {
    const [a, b] = [theirs[name], ours[name]];
    if (isDeepStrictEqual(a, b)) return [];
    return [{ where: `${prefix}${name}`, how: `docker ${shown(a)}, ours ${shown(b)}` }];
  });
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}

function compareHistories(theirs: ExportedImage, ours: ExportedImage): Difference[] {
  const count = Math.max(theirs.history.length, ours.history.length);
  return Array.from({ length: count }, (_, line) => line).flatMap((line) => {
    const [a, b] = [theirs.history[line], ours.history[line]].map(withoutTime);
    return isDeepStrictEqual(a, b)
      ? []
      : [{ where: 'history', how: `line ${line + 1}: docker ${shown(a)}, ours ${shown(b)}` }];
  });
}

function withoutTime(entry: Members | undefined): Members | undefined {
  if (entry === undefined) return undefined;
  const { created: _time, ...rest } = entry;
  return rest;
}

function compareFiles(
  theirs: ReadonlyMap<string, LinkedFile>,
  ours: ReadonlyMap<string, LinkedFile>,
): Difference[] {
  return [...new Set([...theirs.keys(), ...ours.keys()])].toSorted().flatMap((path) => {
    const [a, b] = [theirs.get(path), ours.get(path)];
    const how = a === undefined ? 'only ours' : b === undefined ? 'only docker' : compareFile(a, b);
    return how === '' ? [] : [{ where: `/${path}`, how }];
  });
}

function compareFile(theirs: LinkedFile, ours: LinkedFile): string {
  const hasOldTime = theirs.mtime < NEW;
  const [a, b] = [countedMembers(theirs, hasOldTime), countedMembers(ours, hasOldTime)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((name) => !isDeepStrictEqual(a[name], b[name]))
    .map((name) => `${name}: docker ${shown(a[name])}, ours ${shown(b[name])}`)
    .join('; ');
}

function countedMembers({ content, mode, mtime, sha256, ...file }: LinkedFile, hasTime: boolean): Members {
  return {
    ...file,
    ...(content === undefined ? {} : contentMembers(content, sha256)),
    ...(file.type === 'symlink' ? {} : { mode }),
    ...(hasTime ? { mtime: Math.floor(mtime / 1000) } : {}),
  };
}

/** What a file holds, as long as a line can show it. */
function contentMembers(content: string, sha256: string | undefined): Members {
  const size = Buffer.byteLength(content);
  return size <= SHOWN ? { content } : { size, sha256 };
}
