import { childOf, type BytePath } from '@caisson/layer';
import { canonicalJson, digestOf, type Digest } from '@caisson/oci';
import type { FolderLook } from '../copy/source-tree.ts';

/** How a folder looked for itself, and what it counts as. */
export interface StampedFolder {
  /** The same where everything in it looks the same, what is in its folders left aside. */
  readonly stamp: string;
  /** What the folder counts as in a selection. */
  readonly digest: Digest;
  /** The folders in it that are part of the context. */
  readonly names: readonly string[];
}

/** How folders looked with all that is in them, at whatever depth. */
export class FolderLooks {
  readonly #stamped: (folder: BytePath) => StampedFolder | undefined;
  readonly #known = new Map<BytePath, { readonly digest: Digest; readonly look: FolderLook }>();

  /** @param stamped undefined for a folder of which it is not certain that another look would tell whether it changed */
  constructor(stamped: (folder: BytePath) => StampedFolder | undefined) {
    this.#stamped = stamped;
  }

  /** How a folder looked; undefined where that is not certain of it or of a folder in it. */
  of(top: BytePath): FolderLook | undefined {
    // Those in a folder come behind it, and are worked out before it.
    const found = [{ path: top, stamped: this.#stamped(top) }];
    for (const { path, stamped } of found) {
      if (stamped === undefined) return undefined;
      if (this.#known.get(path)?.digest === stamped.digest) continue;
      for (const name of stamped.names) {
        const inner = childOf(path, name);
        found.push({ path: inner, stamped: this.#stamped(inner) });
      }
    }
    for (const { path, stamped } of found.toReversed()) {
      if (stamped === undefined || this.#known.get(path)?.digest === stamped.digest) continue;
      const { stamp, digest, names } = stamped;
      const folders = names.map((name) => childOf(path, name));
      const inside = folders.map((folder) => this.#known.get(folder)?.look.text ?? null);
      const text = digestOf(canonicalJson([stamp, digest, names, inside]));
      this.#known.set(path, { digest, look: { text, folders } });
    }
    return this.#known.get(top)?.look;
  }
}
