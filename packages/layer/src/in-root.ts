import { childOf, componentsOf, parentOf, ROOT, type BytePath } from './byte-path.ts';

/** What following a path needs to know of each name on the way. */
export type Kind =
  | { readonly type: 'directory' }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'other' };

/** Tells what lies at a path whose parents are known to be folders; undefined where nothing does. */
export type Inspect = (path: BytePath) => Kind | undefined;

/** Where a path leads, inside its root. */
export type Resolved =
  /** `kind` is what lies there; undefined where nothing does. No component of `path` is a symlink, save the last one where it was not to be followed. */
  | { readonly ok: true; readonly path: BytePath; readonly kind: Kind | undefined }
  /** The path goes through something that is no folder. */
  | { readonly ok: false; readonly reason: 'not-a-directory'; readonly path: BytePath }
  /** More symlinks than the kernel would follow. */
  | { readonly ok: false; readonly reason: 'too-many-symlinks'; readonly path: BytePath };

/** As many as the kernel follows. */
const MAX_SYMLINKS = 40;

/**
 * Follows a path inside a root, as a process chrooted there would: an absolute link starts again at the root, `..` at
 * the root stays there. Components that do not exist are kept as they are, so that the result says where a path would
 * be made, also behind a dangling link.
 */
export function resolveInRoot(inspect: Inspect, path: string, last: 'follow' | 'keep'): Resolved {
  const rest = path.split('/').toReversed();
  let at: BytePath = ROOT;
  let kind: Kind | undefined = { type: 'directory' };
  let symlinks = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    if (name === '' || name === '.') continue;
    if (kind !== undefined && kind.type !== 'directory')
      return { ok: false, reason: 'not-a-directory', path: at };
    if (name === '..') {
      at = parentOf(at);
      kind = at === ROOT ? { type: 'directory' } : inspect(at);
      continue;
    }
    const next = childOf(at, name);
    const found: Kind | undefined = kind === undefined ? undefined : inspect(next);
    const isLast = rest.every((part) => part === '' || part === '.');
    if (found?.type === 'symlink' && (last === 'follow' || !isLast)) {
      symlinks++;
      if (symlinks > MAX_SYMLINKS) return { ok: false, reason: 'too-many-symlinks', path: next };
      if (found.target.startsWith('/')) {
        at = ROOT;
        kind = { type: 'directory' };
      }
      rest.push(...found.target.split('/').toReversed());
      continue;
    }
    at = next;
    kind = found;
  }
  return { ok: true, path: at, kind };
}

/** Each folder on the way to a path, from the top, the path itself not among them. */
export function parentsOf(path: BytePath): BytePath[] {
  const parents: BytePath[] = [];
  let at = ROOT;
  for (const name of componentsOf(parentOf(path))) {
    at = childOf(at, name);
    parents.push(at);
  }
  return parents;
}
