import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanPath, DigestThread, hostPath, Toc, type DirectoryEntry, type FileEntry } from '@caisson/layer';
import { digestOf } from '@caisson/oci';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PlannedLine } from './planned-lines.ts';
import { writePlanned, type CopiedLayer, type WriteRequest } from './write-planned.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-planned-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const SIZE = 64 << 20;
const common = { uid: 0, gid: 0, mtime: { seconds: 1, nanoseconds: 0 } };

const pathOf = (name: string) => hostPath(join(folder, name));

/** A folder and a large file of zeros. */
function linesOf(mode: number): PlannedLine[] {
  const above: DirectoryEntry = { ...common, type: 'directory', path: cleanPath('a'), mode };
  const digest = digestOf('');
  const large: FileEntry = {
    ...common,
    type: 'file',
    path: cleanPath('b'),
    mode: 0o644,
    size: SIZE,
    digest,
  };
  const planned = {
    entry: large,
    from: { kind: 'file', path: pathOf('large'), digest } as const,
    linkId: undefined,
  };
  return [
    { kind: 'other', entry: above, role: 'change' },
    { kind: 'file', entry: large, planned },
  ];
}

function write(name: string, mode: number, more: Partial<WriteRequest> = {}): Promise<CopiedLayer> {
  return writePlanned({
    lines: linesOf(mode),
    output: pathOf(`${name}.tar`),
    tocOutput: pathOf(`${name}.toc`),
    tree: undefined,
    earlier: undefined,
    signal: new AbortController().signal,
    ...more,
  });
}

test('a build that is ended while it is worked out what a tree holds ends with that, and nothing else', async () => {
  writeFileSync(join(folder, 'large'), '');
  truncateSync(join(folder, 'large'), SIZE);
  const old = await write('old', 0o700);
  const latest = await write('latest', 0o711);
  await using digests = new DigestThread();
  const ending = new AbortController();
  const toc = async (): Promise<Toc> => {
    ending.abort(new Error('ended'));
    await sleep(50);
    return new Toc([]);
  };
  mkdirSync(join(folder, 'tree'));
  const tree = {
    folder: pathOf('tree'),
    base: { form: 'layer-x', toc },
    isWholeWanted: false,
    scratch: pathOf('s'),
  };
  const written = write('new', 0o755, {
    over: { old: { toc: old.toc, tar: pathOf('old.tar') }, digests },
    earlier: { diffId: latest.diffId, toc: latest.toc, tar: pathOf('latest.tar') },
    tree,
    signal: ending.signal,
  });
  await expect(written).rejects.toThrow('ended');
});
