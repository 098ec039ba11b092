import { parentOf, ROOT, type BytePath } from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import { Once } from '../once.ts';

/** What a folder counts as in a selection. */
export interface FolderList {
  /** Of the list of what is in the folder. */
  readonly digest: Digest;
  /** The list; undefined where it, and those of all folders in this one, are kept with the records of earlier builds. */
  readonly text: string | undefined;
}

/**
 * The lists of the folders of a tree, kept from build to build: of a folder in which nothing changed, nothing is looked
 * at again.
 */
export class FolderLists {
  readonly #lists = new Map<BytePath, FolderList>();
  readonly #views = new Once<string, FolderLists>();

  get(folder: BytePath): FolderList | undefined {
    return this.#lists.get(folder);
  }

  set(folder: BytePath, list: FolderList): void {
    this.#lists.set(folder, list);
  }

  /** The lists of the same folders with some of their files left out. @param name the same for the same files */
  view(name: string): FolderLists {
    return this.#views.get(name, () => new FolderLists());
  }

  /** Forgets the list of a folder, and with it those of the folders above. */
  forget(folder: BytePath): void {
    for (let at = folder; ; at = parentOf(at)) {
      this.#lists.delete(at);
      if (at === ROOT) break;
    }
    for (const view of this.#views.values()) view.forget(folder);
  }

  /** Forgets all lists. */
  clear(): void {
    this.#lists.clear();
    this.#views.clear();
  }

  /** Told that records have the texts of all lists. */
  kept(): void {
    for (const [folder, { digest, text }] of this.#lists)
      if (text !== undefined) this.#lists.set(folder, { digest, text: undefined });
    for (const view of this.#views.values()) view.kept();
  }
}
