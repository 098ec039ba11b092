/**
 * What is wrong with the name of a ref; undefined for one that git takes. One that begins with a dash would be an option.
 * @see https://git-scm.com/docs/git-check-ref-format
 */
export function refProblem(ref: string): string | undefined {
  const isSound =
    ref !== '' &&
    !ref.startsWith('-') &&
    !ref.startsWith('/') &&
    !ref.endsWith('/') &&
    !ref.endsWith('.') &&
    !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|^\.|\.lock(?:\/|$)|\/-/.test(ref);
  return isSound ? undefined : `${JSON.stringify(ref)} cannot be the name of a ref`;
}

/** Whether a ref is the whole name of a commit: nobody needs to be asked what it points to. */
export function isFullCommit(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}
