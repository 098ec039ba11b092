declare const bytePathBrand: unique symbol;
declare const hostPathBrand: unique symbol;

/**
 * A path inside a root, without a leading slash; `''` is the root itself. Names on Linux are bytes, not text: each
 * character stands for one byte (latin1), so that names which are not UTF-8 survive, and comparing strings compares
 * bytes. It holds no empty, `.` or `..` component.
 */
export type BytePath = string & { readonly [bytePathBrand]: true };

/** An absolute path on the host, each character a byte. */
export type HostPath = string & { readonly [hostPathBrand]: true };

/** The root of whatever the path is in. */
export const ROOT: BytePath = toBytePath('');

function isBytePath(_text: string): _text is BytePath {
  return true;
}

function isHostPath(text: string): text is HostPath {
  return text.startsWith('/');
}

function toBytePath(clean: string): BytePath {
  if (!isBytePath(clean)) throw new Error('unreachable');
  return clean;
}

const ASCII = /^[\u0000-\u007f]*$/;

/** Text as bytes, each a character. */
export function bytesOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Bytes (each a character) as text, for people to read. Bytes that are not UTF-8 become U+FFFD. */
export function textOf(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/**
 * Cleans a path of bytes, lexically: drops empty and `.` components, resolves `..`, and stops at the root (`/../x` is
 * `x`), as a path does in a container.
 */
export function cleanPath(bytes: string): BytePath {
  if (!NEEDS_CLEANING.test(bytes)) return toBytePath(bytes);
  const out: string[] = [];
  for (const part of bytes.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') out.pop();
    else out.push(part);
  }
  return toBytePath(out.join('/'));
}

const NEEDS_CLEANING = /^\/|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;

/** Whether a path of bytes climbs above where it starts: `../x`, `a/../../x`. */
export function climbsOut(bytes: string): boolean {
  if (!bytes.includes('..')) return false;
  let depth = 0;
  for (const part of bytes.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}

/** The path of `name` in a folder. */
export function childOf(folder: BytePath, name: string): BytePath {
  return toBytePath(folder === '' ? name : `${folder}/${name}`);
}

/** A path relative to a folder, as a path from the root. */
export function joinPath(folder: BytePath, path: BytePath): BytePath {
  if (path === '') return folder;
  return childOf(folder, path);
}

/** The folder that a path lies in. That of the root is the root. */
export function parentOf(path: BytePath): BytePath {
  return toBytePath(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
}

/** The last component of a path. */
export function baseName(path: BytePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Whether a path lies below a folder (it does not lie below itself). */
export function isBelow(path: BytePath, folder: BytePath): boolean {
  if (folder === '') return path !== '';
  return path.length > folder.length && path.startsWith(folder) && path[folder.length] === '/';
}

/** The components of a path. */
export function componentsOf(path: BytePath): string[] {
  return path === '' ? [] : path.split('/');
}

/** Orders strings of bytes. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** An absolute path on the host, from text. */
export function hostPath(text: string): HostPath {
  const bytes = bytesOf(text);
  if (!isHostPath(bytes)) throw new Error(`Internal error: not an absolute path: ${text}`);
  return bytes;
}

/** Where a path in a root lies on the host. It must have been checked that no component is a symlink. */
export function inFolder(root: HostPath, path: string): HostPath {
  if (path === '') return root;
  const joined = `${root}/${path}`;
  if (!isHostPath(joined)) throw new Error(`Internal error: not an absolute path: ${joined}`);
  return joined;
}

/** A path on the host as node:fs takes it: node:fs reads a string as UTF-8, so other bytes go as a buffer. */
export function fsPath(path: HostPath): string | Buffer {
  return ASCII.test(path) ? path : Buffer.from(path, 'latin1');
}
