import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { execa } from 'execa';
import { describe, expect } from 'vitest';
import { failureOf } from '../rig/failure-of.ts';
import { packTar } from '../rig/pack-tar.ts';
import { findTool, lacks } from '../rig/tools.ts';
import { test } from '../rig/world.ts';

async function compressed(program: 'xz' | 'bzip2'): Promise<Buffer> {
  const input = await packTar([{ name: 'in/side', type: 'file', content: 'x'.repeat(100_000) }]);
  return Buffer.from((await execa(program, ['-c'], { input, encoding: 'buffer' })).stdout);
}

/** Lets the only block of an xz want 4 GiB for its dictionary. @see the xz file format, 3.1 and 5.3.1 */
function hungry(xz: Buffer): Buffer {
  const header = 12;
  const size = ((xz[header] ?? 0) + 1) * 4;
  const filter = xz.indexOf(Buffer.from([0x21, 1]), header);
  xz[filter + 2] = 40;
  xz.writeUInt32LE(crc32(xz.subarray(header, header + size - 4)), header + size - 4);
  return xz;
}

describe.skipIf(lacks('root', 'xz', 'bzip2'))('an archive that another program unpacks', () => {
  test('is unpacked by ADD', async ({ world }) => {
    world.write({
      'a.tar.xz': await compressed('xz'),
      'a.tar.bz2': await compressed('bzip2'),
      Dockerfile: 'FROM scratch\nADD a.tar.xz /xz/\nADD a.tar.bz2 /bz2/\n',
    });
    await world.ok(['build', '-o', 'out', '.']);
    for (const program of ['xz', 'bz2']) {
      expect(readdirSync(join(world.context, 'out', program, 'in'))).toEqual(['side']);
    }
  });

  test('may be damaged, or want too much memory, or its program is not there', async ({ world }) => {
    const xz = await compressed('xz');
    const said = async (archive: Buffer, env = {}): Promise<string> => {
      world.write({ 'a.tar.xz': archive, Dockerfile: 'FROM scratch\nADD a.tar.xz /\n' });
      return failureOf(world, ['build', '.'], { env });
    };
    expect(await said(xz.subarray(0, xz.length - 40))).toMatchInlineSnapshot(`
      "error[bad-archive]: xz cannot unpack a.tar.xz: it is damaged
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD a.tar.xz /
          | ^^^^^^^^^^^^^^
        see docs/errors.md#bad-archive
      exit code 1
      "
    `);
    expect(await said(hungry(Buffer.from(xz)))).toMatchInlineSnapshot(`
      "error[bad-archive]: xz cannot unpack a.tar.xz: it wants more than 1 GiB of memory
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD a.tar.xz /
          | ^^^^^^^^^^^^^^
        see docs/errors.md#bad-archive
      exit code 1
      "
    `);
    const bin = join(world.folder, 'bin');
    mkdirSync(bin);
    symlinkSync(findTool('sh') ?? '', join(bin, 'sh'));
    expect(await said(xz, { PATH: bin })).toMatchInlineSnapshot(`
      "error[bad-archive]: xz is needed to unpack a.tar.xz, and is not installed
        at Dockerfile:2:1
        1 | FROM scratch
      > 2 | ADD a.tar.xz /
          | ^^^^^^^^^^^^^^
        hint: apt-get install xz-utils
        see docs/errors.md#bad-archive
      exit code 1
      "
    `);
    expect(readdirSync(join(world.store, 'tmp'))).toEqual([]);
  });
});
