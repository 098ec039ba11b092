import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { errorCode, getXattr, inUserNamespace, setXattr } from '@caisson/sys';
import type { BlobStore } from './blob-store.ts';
import { fileUsage } from './disk-usage.ts';
import type { LayerMaps } from './layer-maps.ts';
import { lockFile, type LockOptions } from './lock.ts';
import { isFormId, ownLayer, type FormId, type StorePaths } from './paths.ts';
import { removeTreeLater } from './remove-tree.ts';
import type { Room } from './room.ts';
import { currentBoot, type Seen } from './seen.ts';
import type { Session } from './session.ts';
import type { Sizes } from './sizes.ts';
import { writeDocument } from './write-document.ts';

/** On the root of a tree: the run of the kernel in which it was completed. */
const COMPLETED_IN = 'caisson.boot';
/** On the root of a tree that shows its layer only when it lies on that of another one: which layer that is. */
const LIES_ON = 'caisson.base';

/** What a tree is, that is given its name. */
export interface TreeFacts {
  /** The size of the layer's tar in bytes, which is about what the tree takes; of a delta, what that takes. */
  readonly size: number;
  /** For a delta, the layer that it lies on. A whole form of that must have been held. */
  readonly base?: FormId | undefined;
}

/** What shows all of a layer: a tree that is no delta, or a map. */
export type BaseKind = 'tree' | 'map';

/** What a tree is mounted on that is a delta. */
export interface TreeBase {
  /** The layer: that of the tree itself, for a tree that is whole. */
  readonly form: FormId;
  readonly kind: BaseKind;
}

/**
 * What is derived from layers: trees, which overlayfs mounts, and tables of contents. Both can be made again from the
 * blobs at any time, so one that is lost or doubtful is simply not there.
 */
export class LayerForms {
  readonly #paths: StorePaths;
  readonly #seen: Seen;
  readonly #sizes: Sizes;
  readonly #room: Room;
  readonly #maps: LayerMaps;
  readonly #blobs: BlobStore;
  readonly #lockOptions: LockOptions;

  constructor(
    paths: StorePaths,
    known: {
      readonly seen: Seen;
      readonly sizes: Sizes;
      readonly room: Room;
      readonly maps: LayerMaps;
      readonly blobs: BlobStore;
    },
    lockOptions: LockOptions,
  ) {
    this.#paths = paths;
    this.#seen = known.seen;
    this.#sizes = known.sizes;
    this.#room = known.room;
    this.#maps = known.maps;
    this.#blobs = known.blobs;
    this.#lockOptions = lockOptions;
  }

  /** Where the table of contents of a layer lies, if it does. To be used by those who hold it. */
  tocPath(form: FormId): string {
    return this.#paths.toc(form);
  }

  /** Where the tree of a layer lies, if it does. To be used by those who hold it. */
  treePath(form: FormId): string {
    return this.#paths.tree(form);
  }

  /**
   * What the tree of a layer lies on: itself, where it shows its layer alone. Undefined where there is none that can be
   * used. One of which the base is lost is removed.
   */
  async treeBase(session: Session, form: FormId): Promise<TreeBase | undefined> {
    if (!(await this.#has(session, form))) return undefined;
    const base = this.baseOf(form);
    if (base === undefined) return { form, kind: 'tree' };
    const kind = await this.#wholeForm(session, base);
    if (kind !== undefined) return { form: base, kind };
    // Somebody else may have made it anew meanwhile, without a base.
    using _lock = await lockFile(this.#paths.formsLock, 'exclusive', this.#lockOptions);
    if (this.baseOf(form) === base) await this.removeTree(session, form);
    return undefined;
  }

  /** What the tree of a layer may lie on that is much like this one: never on a delta. */
  async baseFor(session: Session, form: FormId): Promise<TreeBase | undefined> {
    const base = await this.treeBase(session, form);
    if (base !== undefined) return base;
    const kind = await this.#wholeForm(session, form);
    return kind === undefined ? undefined : { form, kind };
  }

  /** What there is that shows all of a layer. A map of ours is one with the blob that it shows. */
  async #wholeForm(session: Session, form: FormId): Promise<BaseKind | undefined> {
    if ((await this.#has(session, form)) && this.baseOf(form) === undefined) return 'tree';
    const layer = ownLayer(form);
    if (layer === undefined || !(await this.#maps.has(session, form, ['map']))) return undefined;
    return (await this.#blobs.has(session, layer)) ? 'map' : undefined;
  }

  /** On which layer the tree of one lies, without holding either; undefined where it stands alone. */
  baseOf(form: FormId): FormId | undefined {
    const base = existsSync(this.#paths.tree(form)) ? readXattr(this.#paths.tree(form), LIES_ON) : undefined;
    return base !== undefined && isFormId(base) ? base : undefined;
  }

  /** Whether a tree is there, whole. One that may have lost files in a power cut is removed. */
  async #has(session: Session, form: FormId): Promise<boolean> {
    await session.hold(treeName(form));
    if (!existsSync(this.#paths.tree(form))) return false;
    if (this.#isWhole(form)) return true;
    // Somebody else may have removed it and made it anew: what is removed is looked at alone.
    using _lock = await lockFile(this.#paths.formsLock, 'exclusive', this.#lockOptions);
    if (existsSync(this.#paths.tree(form)) && this.#isWhole(form)) return true;
    await this.removeTree(session, form);
    return false;
  }

  /**
   * A tree of this run of the kernel is whole: it got its name last. One of an earlier run is, if it was synced. One that
   * something was added to or taken from is not.
   */
  #isWhole(form: FormId): boolean {
    const path = this.#paths.tree(form);
    switch (this.#seen.trust(treeName(form), path)) {
      case 'known':
        return true;
      case 'changed':
        return false;
      case 'unknown':
        return readXattr(path, COMPLETED_IN) === currentBoot();
    }
  }

  /**
   * Gives a complete folder of the session's its name. One that somebody else made meanwhile is used instead; a delta is
   * dropped where the layer has a map, on which others may lie, and where the file system cannot keep what it lies on.
   * @returns the layer that the tree which is there now lies on, or its own: one that somebody else made may be a delta.
   *   Undefined for a delta that was dropped
   */
  async adoptTree(
    session: Session,
    path: string,
    form: FormId,
    { size, base }: TreeFacts,
  ): Promise<FormId | undefined> {
    await this.#room.for(size);
    await session.hold(treeName(form));
    const target = this.#paths.tree(form);
    // What is said of it comes and goes with the folder itself, so that nobody sees the one without the other.
    if (base !== undefined && (this.#maps.mayHave(form, 'map') || !writeXattr(path, LIES_ON, base))) {
      await removeTreeLater(path);
      return undefined;
    }
    writeXattr(path, COMPLETED_IN, currentBoot());
    while (!(await renamed(path, target))) {
      const there = await this.treeBase(session, form); // one that is not whole gives way
      if (there === undefined) continue;
      await removeTreeLater(path);
      return there.form;
    }
    this.#seen.remember(treeName(form), target);
    this.#sizes.set(treeName(form), size, 'estimated');
    return base ?? form;
  }

  /** Takes a tree away, out of sight at once. */
  async removeTree(session: Session, form: FormId): Promise<void> {
    this.#seen.forget(treeName(form));
    this.#sizes.forget(treeName(form));
    const gone = session.newPath('gone');
    try {
      await rename(this.#paths.tree(form), gone);
    } catch {
      return;
    }
    await removeTreeLater(gone);
  }

  /** The table of contents of a layer, as it was written; undefined where there is none, or it has been changed. */
  async toc(session: Session, form: FormId): Promise<string | undefined> {
    return (await this.holdToc(session, form)) ? this.peekToc(form) : undefined;
  }

  /** Whether there is a table of contents of a layer. It is held. */
  async holdToc(session: Session, form: FormId): Promise<boolean> {
    await session.hold(tocName(form));
    return this.mayHaveToc(form);
  }

  /** The same, to look at: it is not held, and that is no use of it. */
  async peekToc(form: FormId): Promise<string | undefined> {
    if (this.#seen.trust(tocName(form), this.#paths.toc(form)) === 'changed') return undefined;
    try {
      return await readFile(this.#paths.toc(form), 'utf8');
    } catch {
      return undefined;
    }
  }

  async putToc(session: Session, form: FormId, text: string): Promise<void> {
    await session.hold(tocName(form));
    await writeDocument(session, this.#paths.toc(form), text, 'cached');
    this.#noteToc(form);
  }

  /** Gives a complete file of the session's its name. */
  async adoptToc(session: Session, path: string, form: FormId): Promise<void> {
    await session.hold(tocName(form));
    await rename(path, this.#paths.toc(form));
    this.#noteToc(form);
  }

  #noteToc(form: FormId): void {
    this.#seen.remember(tocName(form), this.#paths.toc(form));
    this.#sizes.set(tocName(form), fileUsage(this.#paths.toc(form)), 'measured');
  }

  /** The table of contents of a layer as it lies there, whatever became of it. */
  async rawToc(form: FormId): Promise<string | undefined> {
    return readFile(this.#paths.toc(form), 'utf8').catch(() => undefined);
  }

  /** Whether there is a tree, without holding it. */
  mayHaveTree(form: FormId): boolean {
    return existsSync(this.#paths.tree(form));
  }

  /** Whether there is a table of contents, without holding it. */
  mayHaveToc(form: FormId): boolean {
    return existsSync(this.#paths.toc(form));
  }

  async removeToc(form: FormId): Promise<void> {
    this.#seen.forget(tocName(form));
    this.#sizes.forget(tocName(form));
    await rm(this.#paths.toc(form), { force: true });
  }

  /** The layers that have a tree, and those that have a table of contents. */
  async list(): Promise<{ readonly trees: FormId[]; readonly tocs: FormId[] }> {
    const [trees, tocs] = await Promise.all([readdir(this.#paths.trees), readdir(this.#paths.tocs)]);
    return {
      trees: trees.filter((name) => isFormId(name)),
      tocs: tocs.map((name) => name.replace(/\.json$/, '')).filter((name) => isFormId(name)),
    };
  }
}

/** The names under which what is derived from a layer is held. */
export function treeName(form: FormId): string {
  return `tree ${form}`;
}
export function tocName(form: FormId): string {
  return `toc ${form}`;
}

/** Renames a folder, unless another one has the name. */
async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOTEMPTY' || errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Attributes that no step sees, nor sets: those of root, and where there are none, such as overlayfs takes for its own. */
function hidden(name: string): string {
  return `${inUserNamespace() ? 'user.overlay' : 'trusted'}.${name}`;
}

function readXattr(path: string, name: string): string | undefined {
  const value = getXattr(path, hidden(name));
  return value === undefined ? undefined : Buffer.from(value).toString('latin1');
}

/** Where such attributes cannot be kept, the database alone says which trees are whole. @returns whether it is kept */
function writeXattr(path: string, name: string, value: string): boolean {
  try {
    setXattr(path, hidden(name), Buffer.from(value, 'latin1'));
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOTSUP' && code !== 'EPERM') throw error;
    return false;
  }
}
