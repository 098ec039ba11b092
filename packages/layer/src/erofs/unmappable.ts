import { baseName, textOf } from '../byte-path.ts';
import type { Entry, NodeEntry } from '../entry.ts';
import type { Toc } from '../toc.ts';
import { BLOCK } from './format.ts';

/** Block numbers have 32 bits. */
const MAX_BLOCKS = 2 ** 32 - 1;
const MAX_ID = 2 ** 32 - 1;
const MAX_NAME = 255;
const MAX_LINK = 4095;
const MAX_XATTR_VALUE = 2 ** 16 - 1;
const MAX_XATTRS = 2 ** 16;
const MAX_MAJOR = 2 ** 12 - 1;
const MAX_MINOR = 2 ** 20 - 1;

/**
 * Why a layer cannot be mounted as the tar that it is; undefined where it can. Such layers are rare: most often a hard
 * link names a file of a layer below, whose bytes are in another tar.
 */
export function unmappable(toc: Toc): string | undefined {
  for (const entry of toc.entries) {
    const why = whyNot(entry);
    if (why !== undefined) return `/${textOf(entry.path)} ${why}`;
  }
  return undefined;
}

function whyNot(entry: Entry): string | undefined {
  if (baseName(entry.path).length > MAX_NAME) return 'has a name that is too long';
  if (entry.type === 'whiteout' || entry.type === 'hardlink') return undefined;
  return whyNotAttributes(entry) ?? whyNotContent(entry);
}

function whyNotAttributes({ uid, gid, xattrs }: NodeEntry): string | undefined {
  if (uid > MAX_ID || gid > MAX_ID) return 'has an owner that no kernel knows';
  if (xattrs === undefined) return undefined;
  let total = 0;
  for (const [name, value] of xattrs) {
    total += name.length + value.length;
    if (name.length > MAX_NAME || value.length > MAX_XATTR_VALUE || total > MAX_XATTRS)
      return 'has attributes that are too large';
  }
  return undefined;
}

function whyNotContent(entry: NodeEntry): string | undefined {
  switch (entry.type) {
    case 'file': {
      if (entry.size === 0) return undefined;
      const { offset } = entry;
      if (offset === undefined || offset % BLOCK !== 0) return 'has its bytes elsewhere';
      return (offset + entry.size) / BLOCK > MAX_BLOCKS
        ? 'lies beyond the first 2 TiB of the layer'
        : undefined;
    }
    case 'symlink':
      return entry.target === '' || entry.target.length > MAX_LINK
        ? 'is a link that leads nowhere'
        : undefined;
    case 'char':
    case 'block':
      return entry.major > MAX_MAJOR || entry.minor > MAX_MINOR
        ? 'is a device that no kernel knows'
        : undefined;
    case 'directory':
    case 'fifo':
      return undefined;
  }
}
