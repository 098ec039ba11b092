import { hexOf, type Digest } from '@caisson/oci';
import { prune, type CacheEntry, type Store } from '@caisson/store';

/**
 * The layers and images that builds which follow one another have made, and that the last good one has no use for: nobody
 * will ask for them again, and with each edit there would be more.
 */
export class Superseded {
  /** What was ever made here, as hex: layers, manifests. */
  readonly #made = new Set<string>();
  /** What the build that runs has found or made. */
  #used = new Set<string>();
  /** The same of the last good one. */
  #kept: ReadonlySet<string> = new Set();
  #isNew = false;

  /** A build begins. */
  begin(): void {
    this.#used = new Set();
  }

  /** A step of it has a layer. @param isMade whether it made it */
  readonly note = (layer: Digest, isMade: boolean): void => {
    const id = hexOf(layer);
    this.#used.add(id);
    if (isMade) this.#made.add(id);
  };

  /** It ended well. @param manifest of its image */
  built(manifest: Digest): void {
    this.note(manifest, true);
    this.#kept = this.#used;
    this.#isNew = true;
  }

  /** Takes out of the store what is superseded, unless something of the user's needs it or somebody holds it. */
  async remove(store: Store): Promise<void> {
    if (!this.#isNew || [...this.#made].every((id) => this.#kept.has(id))) return;
    this.#isNew = false;
    await using session = store.session();
    await prune(store, session, { matches: (entry) => this.#isSuperseded(entry) });
  }

  #isSuperseded({ kind, id }: CacheEntry): boolean {
    switch (kind) {
      case 'step':
      case 'tree':
      case 'unnamed image':
        return this.#made.has(id) && !this.#kept.has(id);
      case 'base image':
      case 'cache mount':
      case 'file':
      case 'unreadable':
      case 'logs':
        return false;
    }
  }
}
