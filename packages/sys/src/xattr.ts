import { cString, libcFunction, type Path } from './libc.ts';
import { errorCode } from './syscall-error.ts';

const llistxattr = libcFunction('int64_t llistxattr(const void *path, uint8_t *list, size_t size)');
const lgetxattr = libcFunction(
  'int64_t lgetxattr(const void *path, const void *name, uint8_t *value, size_t size)',
);
const lsetxattr = libcFunction(
  'int lsetxattr(const void *path, const void *name, const uint8_t *value, size_t size, int flags)',
);
const lremovexattr = libcFunction('int lremovexattr(const void *path, const void *name)');

// The kernel's own limit of a value and of a list: no look-up needs more.
const buffer = Buffer.alloc(65536);

/**
 * The names of the extended attributes of a file, folder or symlink (of the link itself).
 * @returns none where the file system has no such attributes
 */
export function listXattrs(path: Path): string[] {
  try {
    const size = llistxattr([cString(path), buffer, buffer.length], path);
    if (size === 0) return [];
    return buffer.toString('latin1', 0, size - 1).split('\0');
  } catch (error) {
    if (errorCode(error) === 'ENOTSUP') return [];
    throw error;
  }
}

/** The value of an extended attribute, or undefined where it is not set. */
export function getXattr(path: Path, name: string): Uint8Array | undefined {
  try {
    const size = lgetxattr([cString(path), cString(name), buffer, buffer.length], path);
    return Buffer.from(buffer.subarray(0, size));
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENODATA' || code === 'ENOTSUP') return undefined;
    throw error;
  }
}

/** Sets an extended attribute. */
export function setXattr(path: Path, name: string, value: Uint8Array): void {
  lsetxattr([cString(path), cString(name), value, value.length, 0], path);
}

/** Takes an extended attribute away. It is no error if it is not set. */
export function removeXattr(path: Path, name: string): void {
  try {
    lremovexattr([cString(path), cString(name)], path);
  } catch (error) {
    if (errorCode(error) !== 'ENODATA') throw error;
  }
}
