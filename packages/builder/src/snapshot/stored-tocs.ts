import type { Toc } from '@caisson/layer';
import type { FormId, Session, Store } from '@caisson/store';
import { readToc } from './read-toc.ts';

/**
 * The tables of contents of a store. They take a while to read, and builds that follow one another ask for the same ones:
 * those that were asked for last may be kept.
 */
export class StoredTocs {
  readonly #store: Store;
  readonly #mostEntries: number;
  /** What was asked for last comes last. */
  readonly #kept = new Map<FormId, Toc>();

  /** @param mostEntries how many entries those that are kept may have together */
  constructor(store: Store, mostEntries = 0) {
    this.#store = store;
    this.#mostEntries = mostEntries;
  }

  /** The table of contents of a form, held; undefined where there is none that can be read. */
  async get(session: Session, form: FormId): Promise<Toc | undefined> {
    const { forms } = this.#store;
    const isThere = await forms.holdToc(session, form);
    return isThere ? this.peek(form) : undefined;
  }

  /** The same, to look at: it is not held. */
  async peek(form: FormId): Promise<Toc | undefined> {
    const kept = this.#kept.get(form);
    const toc = kept ?? readToc(await this.#store.forms.peekToc(form));
    if (toc !== undefined) this.keep(form, toc);
    return toc;
  }

  /** Keeps one that somebody has at hand. */
  keep(form: FormId, toc: Toc): void {
    this.#kept.delete(form);
    this.#kept.set(form, toc);
    let entries = [...this.#kept.values()].reduce((sum, each) => sum + each.entries.length, 0);
    for (const [oldest, { entries: its }] of this.#kept) {
      if (entries <= this.#mostEntries) return;
      this.#kept.delete(oldest);
      entries -= its.length;
    }
  }
}
