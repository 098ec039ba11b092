import { closeSync, constants, openSync, readSync } from 'node:fs';
import { fsPath, inFolder } from '@caisson/layer';
import type { LocalContext } from '../context/local-context.ts';
import type { Selected } from '../copy/select-sources.ts';
import { buildError } from '../failure.ts';
import type { PlannedCopy } from '../plan/planned.ts';

const HEAD = 512;
const MAGIC_AT = 257;

/** How compressed files begin, as latin1 text. */
const COMPRESSED = ['\u001f\u008b', 'BZh', '\u00fd7zXZ\u0000', '\u0028\u00b5\u002f\u00fd'];

/**
 * ADD unpacks archives, told by their content. That is not built yet, and to copy the archive instead would be another
 * image than docker makes, so it is an error.
 * @throws BuildError `invalid-dockerfile`
 */
export function refuseArchives(
  context: LocalContext,
  selected: readonly Selected[],
  step: PlannedCopy,
): void {
  for (const { node, name } of selected) {
    if (node.entry.type !== 'file' || !isArchive(fsPath(inFolder(context.root, node.entry.path)))) continue;
    throw buildError('invalid-dockerfile', `ADD of an archive (${name}) is not supported yet`, {
      place: step.place,
      hint: 'COPY takes it as it is; a RUN with tar unpacks it',
    });
  }
}

function isArchive(path: string | Buffer): boolean {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(HEAD);
    const head = buffer.toString('latin1', 0, readSync(fd, buffer, 0, HEAD, 0));
    return head.startsWith('ustar', MAGIC_AT) || COMPRESSED.some((magic) => head.startsWith(magic));
  } finally {
    closeSync(fd);
  }
}
