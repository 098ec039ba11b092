import { componentsOf, type BytePath, type Entry } from '@caisson/layer';

/** @see https://man7.org/linux/man-pages/man0/limits.h.0p.html */
const [NAME_MAX, PATH_MAX] = [255, 4096];
/** @see https://man7.org/linux/man-pages/man7/xattr.7.html */
const [XATTR_NAME_MAX, XATTR_SIZE_MAX] = [255, 65_536];
/** An id of all ones stands for none. */
const MOST_IDS = 2 ** 32 - 1;
/** As the kernel packs the number of a device: 12 and 20 bits. */
const [MAJORS, MINORS] = [2 ** 12, 2 ** 20];

/** Why a disk cannot hold what an archive has, as a part of a sentence; undefined where it can. */
export function whyNotOnDisk(entry: Entry): string | undefined {
  if (isTooLong(entry.path)) return NAME_TOO_LONG;
  switch (entry.type) {
    case 'hardlink':
    case 'whiteout':
      return undefined;
    case 'symlink':
      if (entry.target === '') return 'it holds a symlink to nothing';
      if (entry.target.length >= PATH_MAX) return NAME_TOO_LONG;
      break;
    case 'char':
    case 'block':
      if (entry.major >= MAJORS || entry.minor >= MINORS)
        return 'it holds a device with an impossible number';
      break;
    case 'file':
    case 'directory':
    case 'fifo':
  }
  if (Math.max(entry.uid, entry.gid) >= MOST_IDS) return 'it holds a file of an impossible owner';
  for (const [name, value] of entry.xattrs ?? [])
    if (Buffer.byteLength(name) > XATTR_NAME_MAX || value.length > XATTR_SIZE_MAX)
      return 'it holds an xattr that is too large';
  return undefined;
}

/** What is said of names that cannot be on a disk. */
export const NAME_TOO_LONG = 'it holds a name that is too long';

function isTooLong(path: BytePath): boolean {
  return path.length >= PATH_MAX - 1 || componentsOf(path).some(({ length }) => length > NAME_MAX);
}
