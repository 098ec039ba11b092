import { expect, test } from 'vitest';
import { cleanPath, type Entry } from '@caisson/layer';
import { whyNotOnDisk } from './disk-limits.ts';

const attributes = {
  path: cleanPath('a'),
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
};
const file = { ...attributes, type: 'file', size: 0 } as const;
const device = { ...attributes, type: 'char', major: 1, minor: 3 } as const;
const symlink = { ...attributes, type: 'symlink', target: 'b' } as const;
const withXattr = (name: string, size: number): Entry => ({
  ...file,
  xattrs: new Map([[name, new Uint8Array(size)]]),
});

test.each<[string | undefined, string, Entry]>([
  [undefined, 'a file', { ...file, uid: 2 ** 32 - 2, gid: 2 ** 32 - 2 }],
  ['it holds a file of an impossible owner', 'one of nobody', { ...file, uid: 2 ** 32 - 1 }],
  ['it holds a file of an impossible owner', 'a group of nobody', { ...file, gid: 2 ** 33 }],
  [undefined, 'a long name', { ...file, path: cleanPath('n'.repeat(255)) }],
  ['it holds a name that is too long', 'a longer one', { ...file, path: cleanPath('n'.repeat(256)) }],
  ['it holds a name that is too long', 'a long path', { ...file, path: cleanPath('n/'.repeat(2048)) }],
  [undefined, 'a long symlink', { ...symlink, target: 't'.repeat(4095) }],
  ['it holds a name that is too long', 'a longer one', { ...symlink, target: 't'.repeat(4096) }],
  ['it holds a symlink to nothing', 'an empty symlink', { ...symlink, target: '' }],
  [undefined, 'a device', { ...device, major: 4095, minor: 2 ** 20 - 1 }],
  ['it holds a device with an impossible number', 'a major', { ...device, major: 4096 }],
  ['it holds a device with an impossible number', 'a minor', { ...device, minor: 2 ** 20 }],
  [undefined, 'an xattr', withXattr(`user.${'n'.repeat(250)}`, 65_536)],
  ['it holds an xattr that is too large', 'a long name of one', withXattr(`user.${'n'.repeat(251)}`, 1)],
  ['it holds an xattr that is too large', 'a large one', withXattr('user.a', 65_537)],
])('%s: %s', (why, _what, entry) => expect(whyNotOnDisk(entry)).toBe(why));
