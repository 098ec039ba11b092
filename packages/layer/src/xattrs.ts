import { getXattr, inUserNamespace, listXattrs, setXattr } from '@caisson/sys';
import { fsPath, type HostPath } from './byte-path.ts';
import type { Xattrs } from './entry.ts';

/**
 * Whether layers keep an attribute: file capabilities, access control lists and what users set. The rest says
 * something of the host (SELinux labels) or is overlayfs's own book-keeping, which a layer could use to show files
 * of other layers or to hide them.
 */
export function isKeptXattr(name: string): boolean {
  if (name.startsWith('user.')) return !name.startsWith('user.overlay.');
  return (
    name === 'security.capability' ||
    name === 'system.posix_acl_access' ||
    name === 'system.posix_acl_default'
  );
}

/** The attributes of a file that layers keep; undefined where it has none. */
export function readXattrs(path: HostPath): Xattrs | undefined {
  return readKept(path, listXattrs(fsPath(path)));
}

/** As {@link readXattrs}, of what lies in the upper folder of an overlay; and whether it is a folder that hides what lies below. */
export function readUpperXattrs(path: HostPath): {
  readonly xattrs: Xattrs | undefined;
  readonly isOpaque: boolean;
} {
  const names = listXattrs(fsPath(path));
  return { xattrs: readKept(path, names), isOpaque: names.includes(opaqueMark()) && isMarkedOpaque(path) };
}

/** Says to overlayfs that a folder hides what lower layers have in it. */
export function markOpaque(path: HostPath): void {
  setXattr(fsPath(path), opaqueMark(), Buffer.from('y'));
}

/** Whether a folder of a tree hides what lower layers have in it. */
export function isMarkedOpaque(path: HostPath): boolean {
  const value = getXattr(fsPath(path), opaqueMark());
  return value !== undefined && Buffer.from(value).toString('latin1') === 'y';
}

/** Where root is root of a user namespace only, overlayfs is mounted with `userxattr` and keeps its marks elsewhere. */
function opaqueMark(): string {
  return inUserNamespace() ? 'user.overlay.opaque' : 'trusted.overlay.opaque';
}

function readKept(path: HostPath, all: readonly string[]): Xattrs | undefined {
  const at = fsPath(path);
  const names = all.filter(isKeptXattr);
  if (names.length === 0) return undefined;
  const values = new Map<string, Uint8Array>();
  for (const name of names.toSorted()) {
    const value = getXattr(at, name);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** Sets the attributes of a file. */
export function writeXattrs(path: HostPath, xattrs: Xattrs | undefined): void {
  if (xattrs === undefined) return;
  for (const [name, value] of xattrs) setXattr(fsPath(path), name, value);
}

/** Whether two files have the same attributes. */
export function sameXattrs(a: Xattrs | undefined, b: Xattrs | undefined): boolean {
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false;
  if (a === undefined || b === undefined) return true;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other === undefined || Buffer.compare(value, other) !== 0) return false;
  }
  return true;
}
