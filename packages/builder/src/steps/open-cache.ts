import { lstatSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Digest } from '@caisson/oci';
import type { OpenCacheMount } from '@caisson/store';
import { buildError } from '../failure.ts';
import type { PlannedMount } from '../plan/planned.ts';
import type { FileState } from '../state.ts';
import { COPIED_MOUNT } from './copied-mount.ts';
import type { StepScope } from './step-scope.ts';

/** The files that a cache begins with, and what they are known by: a cache that begins with others is another one. */
interface Seed {
  readonly state: FileState;
  readonly name: Digest;
}

/**
 * Opens the cache of a mount, for as long as it is not disposed of. A new one is filled with its seed; with `--no-cache`
 * it is always new.
 */
export async function openCache(
  scope: StepScope,
  { id, mode, uid, gid, sharing, seed: files }: Extract<PlannedMount, { kind: 'cache' }>,
  seed: Seed | undefined,
): Promise<OpenCacheMount> {
  const { store, session, noCache, chains } = scope;
  const { cacheMounts, lookUps } = store;
  const name = seed === undefined ? { id, mode, uid, gid } : { id, seed: seed.name };
  if (noCache) await cacheMounts.discard(session, name);
  const cache = await cacheMounts.open(name, sharing, session, async (folder) => {
    if (seed === undefined || files === undefined) return;
    const { text, place } = files.source;
    const [tree = ''] = await chains.trees(seed.state);
    const from = folderIn(tree, posix.join(COPIED_MOUNT, posix.resolve('/', text)));
    if (from === undefined)
      throw buildError('missing-source', `${text} is no folder, and a cache can begin with a folder only`, {
        place,
      });
    // Node's own copy keeps neither owners nor hard links.
    const { execa } = await import('execa');
    await execa('cp', ['-a', '--reflink=auto', '--', `${from}/.`, folder]);
  });
  lookUps.used([cache.useName]);
  return cache;
}

/** A folder of a tree; no link on the way to it is followed, since it would lead to the host's files. */
function folderIn(tree: string, path: string): string | undefined {
  let at = tree;
  for (const name of path.split('/').filter((each) => each !== '')) {
    at = join(at, name);
    if (lstatSync(at, { throwIfNoEntry: false })?.isDirectory() !== true) return undefined;
  }
  return at;
}
