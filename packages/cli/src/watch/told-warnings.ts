import type { Warning } from '@caisson/builder';

/** What the lint said of the build before: who edits a file need not read of each edit what is wrong with another. */
export class ToldWarnings {
  #before: ReadonlySet<string> = new Set();
  #now = new Set<string>();

  /** Whether a warning says nothing that the build before did not say. */
  isKnown({ rule, message }: Warning): boolean {
    if (rule === undefined) return false;
    const name = `${rule} ${message}`;
    this.#now.add(name);
    return this.#before.has(name);
  }

  /** A build has ended. @param isWhole whether all that there is to warn of was told */
  end(isWhole: boolean): void {
    this.#before = isWhole ? this.#now : new Set([...this.#before, ...this.#now]);
    this.#now = new Set();
  }
}
