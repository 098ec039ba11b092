/** Ids that a user may give to others than himself, in user namespaces. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

const LINE = /^([^:]+):(\d+):(\d+)$/;

/**
 * The first range of a user in /etc/subuid or /etc/subgid. The first, so that ranges which are added later do not move the
 * owners of what lies in the store.
 * @see subuid(5)
 */
export function rangeOf(text: string, { name, uid }: { name: string; uid: number }): IdRange | undefined {
  return rangesOf(text).find(({ owner, count }) => (owner === name || owner === String(uid)) && count > 0);
}

/** As many ids as the system gives a user, beyond those of all others. */
export function freeRange(texts: readonly string[]): IdRange {
  const end = Math.max(100_000, ...texts.flatMap(rangesOf).map(({ first, count }) => first + count));
  return { first: end, count: 65_536 };
}

function rangesOf(text: string): (IdRange & { readonly owner: string })[] {
  return text.split('\n').flatMap((line) => {
    const [, owner, first, count] = LINE.exec(line.trim()) ?? [];
    return owner === undefined ? [] : [{ owner, first: Number(first), count: Number(count) }];
  });
}
