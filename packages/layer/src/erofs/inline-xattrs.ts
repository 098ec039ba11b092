import type { Xattrs } from '../entry.ts';
import { alignUp } from './format.ts';

const HEADER_SIZE = 12;
const ENTRY_SIZE = 4;

/** Names are kept without what most begin with. */
const PREFIXES: readonly (readonly [prefix: string, number: number])[] = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
];

/** What lies behind an inode for its attributes; nothing where it has none. */
export function encodeXattrs(xattrs: Xattrs): Buffer {
  if (xattrs.size === 0) return Buffer.alloc(0);
  const entries = [...xattrs].map(([name, value]) => encodeEntry(name, value));
  return Buffer.concat([Buffer.alloc(HEADER_SIZE), ...entries]);
}

function encodeEntry(name: string, value: Uint8Array): Buffer {
  const [prefix, number] = PREFIXES.find(([each]) => name.startsWith(each)) ?? ['', 0];
  if (number === 0) throw new Error(`Internal error: no layer keeps the attribute ${name}`);
  const rest = Buffer.from(name.slice(prefix.length), 'latin1');
  const entry = Buffer.alloc(alignUp(ENTRY_SIZE + rest.length + value.length, 4));
  entry.writeUInt8(rest.length, 0);
  entry.writeUInt8(number, 1);
  entry.writeUInt16LE(value.length, 2);
  rest.copy(entry, ENTRY_SIZE);
  entry.set(value, ENTRY_SIZE + rest.length);
  return entry;
}
