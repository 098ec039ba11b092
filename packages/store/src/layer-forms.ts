import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { isFormId, type FormId, type StorePaths } from './paths.ts';
import { removeTreeLater } from './remove-tree.ts';
import type { Seen } from './seen.ts';
import type { Session } from './session.ts';
import { writeDocument } from './write-document.ts';

/**
 * What is derived from layers: trees, which overlayfs mounts, and tables of contents. Both can be made again from the
 * blobs at any time, so one that is lost or doubtful is simply not there.
 */
export class LayerForms {
  readonly #paths: StorePaths;
  readonly #seen: Seen;

  constructor(paths: StorePaths, seen: Seen) {
    this.#paths = paths;
    this.#seen = seen;
  }

  /** Where the tree of a layer lies, if it does. To be used by those who hold it. */
  treePath(form: FormId): string {
    return this.#paths.tree(form);
  }

  /** Whether a tree is there, whole. One that may have lost files in a power cut is removed. */
  async hasTree(session: Session, form: FormId): Promise<boolean> {
    await session.hold(treeName(form));
    const path = this.#paths.tree(form);
    if (!existsSync(path)) return false;
    if (this.#seen.trust(treeName(form), path) === 'known') return true;
    await this.removeTree(session, form);
    return false;
  }

  /** Gives a complete folder of the session's its name. One that somebody else made meanwhile is used instead. */
  async adoptTree(session: Session, path: string, form: FormId): Promise<void> {
    await session.hold(treeName(form));
    const target = this.#paths.tree(form);
    try {
      await rename(path, target);
    } catch (error) {
      if (!existsSync(target)) throw error;
      await removeTreeLater(path);
      return;
    }
    this.#seen.remember(treeName(form), target);
  }

  /** Takes a tree away, out of sight at once. */
  async removeTree(session: Session, form: FormId): Promise<void> {
    this.#seen.forget(treeName(form));
    const gone = session.newPath('gone');
    try {
      await rename(this.#paths.tree(form), gone);
    } catch {
      return;
    }
    await removeTreeLater(gone);
  }

  /** The table of contents of a layer, as it was written; undefined where there is none. */
  async toc(session: Session, form: FormId): Promise<string | undefined> {
    await session.hold(tocName(form));
    try {
      return await readFile(this.#paths.toc(form), 'utf8');
    } catch {
      return undefined;
    }
  }

  async putToc(session: Session, form: FormId, text: string): Promise<void> {
    await session.hold(tocName(form));
    await writeDocument(session, this.#paths.toc(form), text, 'cached');
  }

  /** Gives a complete file of the session's its name. */
  async adoptToc(session: Session, path: string, form: FormId): Promise<void> {
    await session.hold(tocName(form));
    await rename(path, this.#paths.toc(form));
  }

  /** Whether there is a table of contents, without holding it. */
  mayHaveToc(form: FormId): boolean {
    return existsSync(this.#paths.toc(form));
  }

  async removeToc(form: FormId): Promise<void> {
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
