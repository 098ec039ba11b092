import { changedWhileRead, inFolder } from '@caisson/layer';
import type { LocalContext } from '../context/local-context.ts';
import { openArchive, type OpenedArchive } from './archive.ts';
import type { SourceNode } from './source-tree.ts';

/** Where an archive is unpacked, and how it is spoken of. */
export interface UnpackRequest {
  /** What people call it. */
  readonly name: string;
  /** A path for what is in it; nothing is there yet. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Unpacks an archive of a context. What is unpacked is not hashed again, so the archive is looked at once more: it must
 * still be what it counts as in the step's key.
 * @returns undefined for a file that is no archive
 * @throws LayerError `changed-while-read`; BuildError `bad-archive`, `no-space`
 */
export async function unpackChecked(
  context: LocalContext,
  archive: SourceNode,
  { name, folder, signal }: UnpackRequest,
): Promise<OpenedArchive | undefined> {
  const path = inFolder(context.root, archive.entry.path);
  const known = await context.digests([archive], signal);
  const check = async (): Promise<void> => {
    const later = context.lookAnew();
    const node = later.lookup(archive.entry.path);
    const digests = node?.entry.type === 'file' ? await later.digests([node], signal) : [];
    if (digests[0] !== known[0]) throw changedWhileRead(path);
  };
  let opened: OpenedArchive | undefined;
  try {
    opened = await openArchive(path, name, folder, signal);
  } catch (error) {
    await check(); // it may be damaged because somebody is writing it
    throw error;
  }
  if (opened !== undefined) await check();
  return opened;
}
