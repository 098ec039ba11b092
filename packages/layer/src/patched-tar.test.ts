import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@caisson/oci';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DigestThread } from './digest-thread.ts';
import { hostPath, type HostPath } from './byte-path.ts';
import type { WrittenLayer } from './layer-writer.ts';
import { PatchedTar, type PatchRequest, type TarOfLayer } from './patched-tar.ts';
import {
  changedOnly,
  editedThings,
  entriesOf,
  fileThing,
  patchLayer,
  writeLayer,
  type Thing,
} from './testing/random-layer.ts';
import { encodeToc, Toc } from './toc.ts';

let folder: string;
let files = 0;
const digests = new DigestThread();
afterAll(() => digests[Symbol.asyncDispose]());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-patch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Latest = PatchRequest['latest'];

const newFile = (): HostPath => hostPath(join(folder, `${files++}.tar`));
const layerOf = (things: readonly Thing[]): Latest => {
  const tar = newFile();
  const { toc, diffId } = writeLayer(tar, entriesOf(things));
  return { tar, toc, diffId };
};

/** What a layer is, down to its bytes. */
const told = (tar: HostPath, { diffId, contentDigest, size, toc }: WrittenLayer): object => ({
  diffId,
  contentDigest,
  size,
  toc: encodeToc(toc),
  bytes: digestOf(readFileSync(tar)),
});

/** What a layer is that is written from nothing. */
function coldOf(things: readonly Thing[]): object {
  const tar = newFile();
  return told(tar, writeLayer(tar, entriesOf(things)));
}

interface Patched extends Latest {
  readonly told: object;
}

/** Writes over the file of `old`. */
async function patch(things: readonly Thing[], { tar, toc }: TarOfLayer, latest: Latest): Promise<Patched> {
  using patched = PatchedTar.open({ old: { tar, toc }, latest, digests });
  if (patched === undefined) throw new Error('layers of ours that cannot be opened');
  const written = await patchLayer(patched, entriesOf(things), changedOnly(latest.toc));
  return { tar, toc: written.toc, diffId: written.diffId, told: told(tar, written) };
}

describe('a tar that is written over an old one', () => {
  test('is the one that is written from nothing, edit after edit, and opens only what changed', async () => {
    await fc.assert(
      fc.asyncProperty(editedThings, async ({ before, after, later }) => {
        const first = layerOf(before);
        const second = layerOf(after);
        const third = await patch(later, first, second);
        expect(third.told).toEqual(coldOf(later));
        const fourth = await patch(before, second, third);
        expect(fourth.told).toEqual(coldOf(before));
        expect((await patch(after, third, fourth)).told).toEqual(coldOf(after));
      }),
      { numRuns: 100 },
    );
  });

  test('of which nothing has changed is not written', async () => {
    const things = [fileThing('a', 'x'), fileThing('b', 'y', 3_000_000)];
    const [first, second] = [layerOf(things), layerOf(things)];
    const { mtimeNs } = statSync(first.tar, { bigint: true });
    expect((await patch(things, first, second)).told).toEqual(coldOf(things));
    expect(statSync(first.tar, { bigint: true }).mtimeNs).toBe(mtimeNs);
  });

  test('keeps runs of zeros as holes, and fills no hole with them', async () => {
    const sparse = fileThing('zeros', '\0', 16 << 20);
    const [first, second] = [layerOf([fileThing('a', 'x'), sparse]), layerOf([fileThing('a', 'y'), sparse])];
    const { tar } = await patch([fileThing('a', 'x', 9000), sparse], first, second);
    expect(statSync(tar).blocks * 512).toBeLessThan(4 << 20);
  });

  test('is not made of layers of which nobody knows where files lie', () => {
    const latest = layerOf([fileThing('a', 'x')]);
    const copy = newFile();
    copyFileSync(latest.tar, copy);
    const bare = latest.toc.entries.map((entry) => {
      if (entry.type !== 'file') return entry;
      const { offset: _gone, ...rest } = entry;
      return rest;
    });
    const toc = new Toc(bare);
    expect(PatchedTar.open({ old: { toc, tar: copy }, latest, digests })).toBeUndefined();
  });
});
