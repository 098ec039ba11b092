import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import type { Digest } from '@caisson/oci';
import { logsName } from './build-logs.ts';
import { cacheMountName } from './cache-mounts.ts';
import { tocName, treeName } from './layer-forms.ts';
import { mapFileName, type MapFile } from './layer-maps.ts';
import type { FormId } from './paths.ts';
import { baseHoldName, type RememberedBase } from './remembered-bases.ts';
import type { Session } from './session.ts';
import { recordName } from './step-records.ts';
import type { Store } from './store.ts';

/** What prune counts one by one. */
export type ObjectKind =
  | 'blob'
  | 'tree'
  | 'map'
  | 'tar'
  | 'toc'
  | 'record'
  | 'base'
  | 'cache mount'
  | 'logs'
  | 'stray';

/** A file or folder of the store, which comes and goes as a whole. */
export interface StoreObject {
  readonly kind: ObjectKind;
  /** What it is held under, and what its size and its last use are noted under. */
  readonly name: string;
  readonly path: string;
  /** Whether somebody uses it: a cache mount has a lock of its own, everything else is held by name. */
  readonly isLocked?: () => boolean;
  /** Removes it. @returns whether it is gone: a cache mount that is in use stays */
  readonly remove: (session: Session) => Promise<boolean>;
}

/** A blob. */
export function blobObject({ paths, blobs }: Store, digest: Digest): StoreObject {
  return { kind: 'blob', name: digest, path: paths.blob(digest), remove: () => gone(blobs.remove(digest)) };
}

/** The tree of a layer. */
export function treeObject({ paths, forms }: Store, form: FormId): StoreObject {
  return {
    kind: 'tree',
    name: treeName(form),
    path: paths.tree(form),
    remove: (session) => gone(forms.removeTree(session, form)),
  };
}

/** A map of a layer, or the tar beside it. */
export function mapObject({ maps }: Store, form: FormId, file: MapFile): StoreObject {
  return {
    kind: file,
    name: mapFileName(form, file),
    path: maps.path(form, file),
    remove: () => gone(maps.remove(form, file)),
  };
}

/** The table of contents of a layer. */
export function tocObject({ paths, forms }: Store, form: FormId): StoreObject {
  return {
    kind: 'toc',
    name: tocName(form),
    path: paths.toc(form),
    remove: () => gone(forms.removeToc(form)),
  };
}

/** The record of a step. */
export function recordObject({ paths, records }: Store, key: Digest): StoreObject {
  return {
    kind: 'record',
    name: recordName(key),
    path: paths.record(key),
    remove: () => gone(records.remove(key)),
  };
}

/** What is remembered of a base image. */
export function baseObject({ bases }: Store, base: RememberedBase): StoreObject {
  return {
    kind: 'base',
    name: baseHoldName(base),
    path: bases.path(base),
    remove: () => gone(bases.remove(base)),
  };
}

/** The folder of a cache mount. */
export function cacheMountObject({ cacheMounts }: Store, slot: string): StoreObject {
  return {
    kind: 'cache mount',
    name: cacheMountName(slot),
    path: cacheMounts.path(slot),
    isLocked: () => cacheMounts.isInUse(slot),
    remove: (session) => cacheMounts.remove(session, slot),
  };
}

/** The logs of a build. */
export function logsObject({ logs }: Store, build: string): StoreObject {
  return {
    kind: 'logs',
    name: logsName(build),
    path: logs.folder(build),
    isLocked: () => logs.isRunning(build),
    remove: () => logs.remove(build),
  };
}

/** A file that nobody can read or knows, in a folder of such files. */
export function strayObject(folder: string, file: string): StoreObject {
  const path = join(folder, file);
  return {
    kind: 'stray',
    name: `stray ${path}`,
    path,
    remove: () => gone(rm(path, { recursive: true, force: true })),
  };
}

async function gone(removal: Promise<void>): Promise<boolean> {
  await removal;
  return true;
}
