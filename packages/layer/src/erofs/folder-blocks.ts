import { BLOCK, writeInteger } from './format.ts';

const ENTRY_SIZE = 12;

/** What a folder says of a name in it. */
export interface Name {
  /** Bytes, each a character. */
  readonly name: string;
  readonly inode: number;
  readonly type: number;
}

/** The size of a folder in bytes: where the last name of its last block ends. */
export function folderSize(names: readonly { readonly name: string }[]): number {
  let full = 0;
  let used = 0;
  for (const { name } of names) {
    const needed = ENTRY_SIZE + name.length;
    if (used + needed > BLOCK) {
      full += BLOCK;
      used = 0;
    }
    used += needed;
  }
  return full + used;
}

/**
 * The content of a folder: in each block first the entries, then their names.
 * @param names bytewise, `.` and `..` among them
 */
export function encodeFolder(names: readonly Name[]): Buffer {
  const content = Buffer.alloc(folderSize(names));
  let first = 0;
  for (let block = 0; first < names.length; block += BLOCK) {
    const count = countThatFits(names, first);
    encodeBlock(names.slice(first, first + count), content.subarray(block, block + BLOCK));
    first += count;
  }
  return content;
}

function countThatFits(names: readonly Name[], first: number): number {
  let used = 0;
  let at = first;
  for (let name = names[at]; name !== undefined; name = names[++at]) {
    used += ENTRY_SIZE + name.name.length;
    if (used > BLOCK) break;
  }
  return at - first;
}

function encodeBlock(names: readonly Name[], into: Buffer): void {
  let nameAt = names.length * ENTRY_SIZE;
  for (const [index, { name, inode, type }] of names.entries()) {
    const at = index * ENTRY_SIZE;
    writeInteger(inode, into, at);
    into.writeUInt16LE(nameAt, at + 8);
    into.writeUInt8(type, at + 10);
    nameAt += into.write(name, nameAt, 'latin1');
  }
}
