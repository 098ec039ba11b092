import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fsPath, hostPath, cleanPath } from '@caisson/layer';
import { digestOf } from '@caisson/oci';
import { openArchive, type OpenedArchive } from './archive.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-archive-'));
  mkdirSync(join(folder, 'in'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function pack(...flags: readonly string[]): Promise<void> {
  await execa('tar', [...flags, '-C', join(folder, 'in'), '-cf', join(folder, 'a.tar'), '.']);
}

const opened = (): Promise<OpenedArchive | undefined> =>
  openArchive(hostPath(join(folder, 'a.tar')), 'a.tar', join(folder, 'out'), new AbortController().signal);

/** The bytes of a file of an archive, where it says that they lie, and its digest. */
async function contentIn(
  archive: OpenedArchive | undefined,
  path: string,
): Promise<{ bytes: Buffer; digest: string }> {
  const node = archive?.tree.lookup(cleanPath(path));
  if (archive === undefined || node?.entry.type !== 'file') throw new Error(`no file ${path}`);
  const content = await archive.tree.content(node);
  if (content.kind !== 'file') throw new Error('not in a file');
  const { path: lies, offset = 0 } = content;
  const bytes = readFileSync(fsPath(lies)).subarray(offset, offset + node.entry.size);
  const [digest = ''] = await archive.tree.digests([node], new AbortController().signal);
  return { bytes, digest };
}

describe('an archive', () => {
  test.each([['--format=pax'], ['--gzip']])('has its files where they lie in it (%s)', async (flag) => {
    mkdirSync(join(folder, 'in', 'sub'));
    writeFileSync(join(folder, 'in', 'sub', 'file'), 'what is in it');
    writeFileSync(join(folder, 'in', 'empty'), '');
    await pack(flag);
    const archive = await opened();
    const bytes = Buffer.from('what is in it');
    expect(await contentIn(archive, 'sub/file')).toEqual({ bytes, digest: digestOf(bytes) });
    expect((await contentIn(archive, 'empty')).digest).toBe(digestOf(Buffer.alloc(0)));
    expect(readdirSync(join(folder, 'out'))).toEqual(['tar']);
  });

  test('with sparse files is unpacked', async () => {
    writeFileSync(join(folder, 'in', 'sparse'), 'begins');
    truncateSync(join(folder, 'in', 'sparse'), 1 << 20);
    await pack('--sparse', '--format=pax');
    const bytes = Buffer.alloc(1 << 20);
    bytes.write('begins');
    expect(await contentIn(await opened(), 'sparse')).toEqual({ bytes, digest: digestOf(bytes) });
  });

  test.each([
    ['name', `s,./file,${'n'.repeat(256)},`],
    ['path', `s,./file,${'folder/'.repeat(600)}file,`],
  ])('has no %s that no disk can have', async (_what, renamed) => {
    writeFileSync(join(folder, 'in', 'file'), '');
    await pack('--format=pax', `--transform=${renamed}`);
    await expect(opened()).rejects.toThrow(
      'the archive a.tar cannot be unpacked: it holds a name that is too long',
    );
  });

  test.each([
    ['its last bytes', (bytes: Buffer) => bytes.fill(0xff, bytes.length - 8)],
    ['what follows it', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(70, '\x1f\x8b')])],
  ])('that is damaged is one, however small: %s', async (_what, damage) => {
    await pack('--gzip');
    const path = join(folder, 'a.tar');
    writeFileSync(path, damage(readFileSync(path)));
    await expect(opened()).rejects.toThrow(
      'the archive a.tar cannot be unpacked: the compressed bytes are damaged',
    );
  });

  test('that only begins like a gzip is none', async () => {
    for (const rest of ['', 'no gzip at all'.repeat(1000)]) {
      writeFileSync(join(folder, 'a.tar'), Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from(rest)]));
      expect(await opened()).toBeUndefined();
    }
  });

  test('that a disk cannot hold is refused', async () => {
    writeFileSync(join(folder, 'in', 'file'), '');
    await pack('--format=pax', '--pax-option=uid:=8589934592');
    await expect(opened()).rejects.toThrow(
      'the archive a.tar cannot be unpacked: it holds a file of an impossible owner',
    );
  });

  test('is no file of another kind', async () => {
    writeFileSync(join(folder, 'a.tar'), 'x'.repeat(10_000));
    expect(await opened()).toBeUndefined();
  });
});
