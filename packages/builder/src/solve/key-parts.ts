import { digestOf, type Digest } from '@caisson/oci';

/**
 * What digests in key records are made from, kept while it is not known whether anybody will ask: so that two records
 * can be compared down to the file that differs.
 */
export class KeyParts {
  readonly #texts = new Map<Digest, string>();

  /** Keeps a text, canonical JSON, and gives its digest. */
  add(text: string): Digest {
    const digest = digestOf(text);
    this.keep(digest, text);
    return digest;
  }

  /** Keeps a text whose digest is known. */
  keep(digest: Digest, text: string): void {
    this.#texts.set(digest, text);
  }

  /** All that was kept so far, by digest. */
  get texts(): ReadonlyMap<Digest, string> {
    return this.#texts;
  }
}
