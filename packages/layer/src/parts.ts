/** Work that is done part by part: it yields where others may have their turn. Disposing of it ends it there. */
export type Parts<T> = Generator<undefined, T, undefined>;

/** All of it, at once. */
export function atOnce<T>(parts: Parts<T>): T {
  for (;;) {
    const step = parts.next();
    if (step.done === true) return step.value;
  }
}
