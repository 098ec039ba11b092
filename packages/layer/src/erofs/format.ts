/**
 * The structures of an EROFS image, little endian. Blocks are of 512 bytes, as in a tar: so a file's bytes can stay
 * where they lie in the tar.
 * @see https://erofs.docs.kernel.org/en/latest/core_ondisk.html
 */
export const BLOCK = 512;
const BLOCK_BITS = 9;

/** An inode's number is where it lies in the image, in such units. */
export const SLOT = 32;

const SUPERBLOCK_AT = 1024;
const SUPERBLOCK_SIZE = 128;
/** Where the first inode lies: behind the superblock and the slot of the one other device, the tar. */
export const INODES_AT = SUPERBLOCK_AT + 2 * SUPERBLOCK_SIZE;
const DEVICE_SLOT_UNIT = 128;

const MAGIC = 0xe0f5e1e2;
const COMPAT_MTIME = 0x2;
const INCOMPAT_CHUNKED_FILE = 0x4;
const INCOMPAT_DEVICE_TABLE = 0x8;

/** What the head of an image says. */
export interface Head {
  /** The number of the root's inode. */
  readonly root: number;
  readonly inodes: number;
  /** How long the image is, in blocks. */
  readonly blocks: number;
  /** How long the tar is, in blocks. */
  readonly tarBlocks: number;
}

/** All that lies before the first inode. */
export function encodeHead({ root, inodes, blocks, tarBlocks }: Head): Buffer {
  const head = Buffer.alloc(INODES_AT);
  const at = SUPERBLOCK_AT;
  head.writeUInt32LE(MAGIC, at);
  head.writeUInt32LE(COMPAT_MTIME, at + 8);
  head.writeUInt8(BLOCK_BITS, at + 12);
  head.writeUInt16LE(root, at + 14);
  writeInteger(inodes, head, at + 16);
  head.writeUInt32LE(blocks, at + 36);
  head.writeUInt32LE(INCOMPAT_CHUNKED_FILE | INCOMPAT_DEVICE_TABLE, at + 80);
  head.writeUInt16LE(1, at + 86);
  head.writeUInt16LE((at + SUPERBLOCK_SIZE) / DEVICE_SLOT_UNIT, at + 88);
  const slot = at + SUPERBLOCK_SIZE;
  head.writeUInt32LE(tarBlocks, slot + 64);
  head.writeUInt32LE(blocks, slot + 68);
  return head;
}

/** How the data of an inode lie. */
export const LAYOUT = {
  /** In whole blocks of the image. */
  plain: 0,
  /** The last part behind the inode, what is before it in whole blocks. */
  inlineTail: 2,
  /** In the tar. */
  chunks: 4,
} as const;

export type Layout = (typeof LAYOUT)[keyof typeof LAYOUT];

/** What an inode says. */
export interface InodeFields {
  readonly layout: Layout;
  /** Of the attributes behind it, in bytes. */
  readonly xattrSize: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly size: number;
  /** By type and layout: the first block, a device number, or how large chunks are. */
  readonly data: number;
  /** The how-manieth inode it is. */
  readonly serial: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: { readonly seconds: number; readonly nanoseconds: number };
  readonly links: number;
}

export const INODE_SIZE = 64;
const EXTENDED = 1;
const XATTR_HEADER_SIZE = 12;

/** An inode, of the extended kind. */
export function encodeInode(inode: InodeFields, into: Buffer, at: number): void {
  into.writeUInt16LE(EXTENDED | (inode.layout << 1), at);
  into.writeUInt16LE(inode.xattrSize === 0 ? 0 : (inode.xattrSize - XATTR_HEADER_SIZE) / 4 + 1, at + 2);
  into.writeUInt16LE(inode.mode, at + 4);
  writeInteger(inode.size, into, at + 8);
  into.writeUInt32LE(inode.data, at + 16);
  into.writeUInt32LE(inode.serial, at + 20);
  into.writeUInt32LE(inode.uid, at + 24);
  into.writeUInt32LE(inode.gid, at + 28);
  writeInteger(inode.mtime.seconds, into, at + 32);
  into.writeUInt32LE(inode.mtime.nanoseconds, at + 40);
  into.writeUInt32LE(inode.links, at + 44);
}

/** The largest chunk that there is: 2^40 bytes. Nearly every file is one. */
const CHUNK_BITS = 31;
const CHUNK_IN_BLOCKS = 2 ** CHUNK_BITS;
/** What an inode says of its chunks: each has an index of its own, which names the device. */
export const CHUNK_FORMAT = 0x20 | CHUNK_BITS;
export const CHUNK_INDEX_SIZE = 8;
const TAR_DEVICE = 1;

/** How many chunks a file has. */
export function chunksOf(size: number): number {
  return Math.ceil(size / BLOCK / CHUNK_IN_BLOCKS);
}

/** Where the chunks of a file lie in the tar. */
export function encodeChunks(offset: number, size: number, into: Buffer, at: number): void {
  for (let chunk = 0; chunk < chunksOf(size); chunk++) {
    const index = at + chunk * CHUNK_INDEX_SIZE;
    into.writeUInt16LE(TAR_DEVICE, index + 2);
    into.writeUInt32LE(offset / BLOCK + chunk * CHUNK_IN_BLOCKS, index + 4);
  }
}

/** A device number as the kernel keeps it: 12 bits of major, 20 of minor. */
export function encodeDevice({ major, minor }: { readonly major: number; readonly minor: number }): number {
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** An integer in 64 bits. */
export function writeInteger(value: number, into: Buffer, at: number): void {
  const high = Math.floor(value / 2 ** 32);
  into.writeUInt32LE(value - high * 2 ** 32, at);
  into.writeInt32LE(high, at + 4);
}

/** Up to the next multiple. */
export function alignUp(position: number, unit: number): number {
  return Math.ceil(position / unit) * unit;
}
