import { baseName, childOf, parentOf, type BytePath } from './byte-path.ts';
import type { Entry, HardLinkEntry, NodeEntry } from './entry.ts';
import type { TarFields } from './tar-header.ts';

/** How names begin that say in a tar that something is gone. */
export const WHITEOUT_PREFIX = '.wh.';

/** The name of an entry in a tar, which is what entries are ordered by. A whiteout comes before its siblings. */
export function tarName(entry: Entry): BytePath {
  if (entry.type !== 'whiteout') return entry.path;
  return childOf(parentOf(entry.path), `${WHITEOUT_PREFIX}${baseName(entry.path)}`);
}

const NO_ATTRIBUTES = { mode: 0, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } };

/** An entry as a tar says it: folders end in a slash, a whiteout is an empty file with a prefix. */
export function tarFields(entry: Exclude<Entry, HardLinkEntry>): TarFields {
  const name = tarName(entry);
  if (entry.type === 'whiteout') return { ...NO_ATTRIBUTES, type: 'file', name, size: 0 };
  const fields = { ...attributesOf(entry), name, size: 0 };
  switch (entry.type) {
    case 'directory':
      return { ...fields, type: entry.type, name: `${name}/` };
    case 'file':
      return { ...fields, type: entry.type, size: entry.size };
    case 'symlink':
      return { ...fields, type: entry.type, linkName: entry.target };
    case 'char':
    case 'block':
      return { ...fields, type: entry.type, major: entry.major, minor: entry.minor };
    case 'fifo':
      return { ...fields, type: entry.type };
  }
}

/** Another name of a node as a tar says it: with the attributes of that node, which readers set again. */
export function hardLinkFields({ path, target }: HardLinkEntry, node: NodeEntry): TarFields {
  return { ...attributesOf(node), type: 'hardlink', name: path, linkName: target, size: 0 };
}

function attributesOf(entry: NodeEntry): Omit<TarFields, 'name' | 'type' | 'size'> {
  const { mode, uid, gid, mtime, xattrs } = entry;
  return { mode, uid, gid, mtime, ...(xattrs === undefined ? {} : { xattrs }) };
}
