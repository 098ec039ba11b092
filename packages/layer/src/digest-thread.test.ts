import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, type Digest } from '@caisson/oci';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostPath } from './byte-path.ts';
import { DigestThread } from './digest-thread.ts';

let folder: string;
let digests: DigestThread;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-digests-'));
  digests = new DigestThread();
});
afterEach(async () => {
  await digests[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const MIB = 1 << 20;
const NOTHING = digestOf('');

/** Follows a file that is there. */
async function digestOfFile(name: string, bytes: Buffer, alike = NOTHING, same = 0): Promise<Digest> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return digests.follow({ tar: hostPath(path), alike, same }).finish(bytes.length);
}

test('a file is read while it grows, and several at once', async () => {
  const paths = [hostPath(join(folder, 'a')), hostPath(join(folder, 'b'))];
  for (const path of paths) writeFileSync(path, '');
  const followed = paths.map((tar) => digests.follow({ tar, alike: NOTHING, same: 0 }));
  const pieces = Array.from({ length: 12 }, (_, number) => Buffer.alloc(MIB + number, `${number}`));
  let end = 0;
  for (const piece of pieces) {
    end += piece.length;
    paths.forEach((path, at) => {
      appendFileSync(path, piece);
      followed[at]?.written(end);
    });
  }
  const expected = digestOf(Buffer.concat(pieces));
  expect(await Promise.all(followed.map((tar) => tar.finish(end)))).toEqual([expected, expected]);
});

test('what is the same as in a tar that it knows is not read again', async () => {
  const bytes = Buffer.alloc(5 * MIB + 7, 'x');
  const first = await digestOfFile('first', bytes);
  const changed = Buffer.from(bytes).fill('y', 3 * MIB + 100);
  const path = join(folder, 'second');
  writeFileSync(path, Buffer.from(changed).fill('?', 0, 3 * MIB)); // to be seen if it were read
  const second = digests.follow({ tar: hostPath(path), alike: first, same: 3 * MIB + 100 });
  expect(await second.finish(changed.length)).toBe(digestOf(changed));
});

test('of a tar that it does not know all is read', async () => {
  const bytes = Buffer.alloc(3 * MIB, 'x');
  expect(await digestOfFile('a', bytes, digestOf('another'), 2 * MIB)).toBe(digestOf(bytes));
});

test('zeros that the file does not reach to count', async () => {
  const path = join(folder, 'sparse');
  writeFileSync(path, 'x');
  const tar = digests.follow({ tar: hostPath(path), alike: NOTHING, same: 0 });
  tar.written(5 * MIB);
  truncateSync(path, 6 * MIB);
  const expected = Buffer.alloc(6 * MIB);
  expected.write('x');
  expect(await tar.finish(6 * MIB)).toBe(digestOf(expected));
});

test('a file that cannot be read fails, and the next one does not', async () => {
  const gone = digests.follow({ tar: hostPath(join(folder, 'gone')), alike: NOTHING, same: 0 });
  gone.written(5 * MIB);
  await expect(gone.finish(5 * MIB)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await digestOfFile('a', Buffer.from('x'))).toBe(digestOf('x'));
});

test('one that is given up disturbs nothing', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'x');
  digests.follow({ tar: hostPath(path), alike: NOTHING, same: 0 }).giveUp();
  expect(await digestOfFile('b', Buffer.from('y'))).toBe(digestOf('y'));
});

test('who waits when the thread ends hears of it, and another one is started for the next', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'x');
  const tar = digests.follow({ tar: hostPath(path), alike: NOTHING, same: 0 });
  await digests[Symbol.asyncDispose]();
  await expect(tar.finish(1)).rejects.toThrow('Internal error: the thread of digests has ended');
  expect(await digestOfFile('b', Buffer.from('y'))).toBe(digestOf('y'));
});
