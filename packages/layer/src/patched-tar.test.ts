import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@caisson/oci';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostPath, type HostPath } from './byte-path.ts';
import type { WrittenLayer } from './layer-writer.ts';
import { PatchedTar, type TarOfLayer } from './patched-tar.ts';
import type { TarDigests } from './tar-digests.ts';
import {
  changedOnly,
  editedThings,
  entriesOf,
  fileThing,
  writeLayer,
  type Thing,
} from './testing/random-layer.ts';
import { encodeToc, Toc } from './toc.ts';

let folder: string;
let files = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-patch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const newFile = (): HostPath => hostPath(join(folder, `${files++}.tar`));
const layerOf = (things: readonly Thing[]): TarOfLayer => {
  const tar = newFile();
  return { tar, toc: writeLayer(tar, entriesOf(things)).toc };
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

interface Patched extends TarOfLayer {
  readonly digests: TarDigests | undefined;
  readonly told: object;
}

/** Writes over the file of `old`. */
function patch(
  things: readonly Thing[],
  { tar, toc }: TarOfLayer,
  latest: TarOfLayer & { readonly digests?: TarDigests | undefined },
): Patched {
  using patched = PatchedTar.open({ old: { tar, toc }, latest });
  if (patched === undefined) throw new Error('layers of ours that cannot be opened');
  const written = writeLayer(patched, entriesOf(things), {}, changedOnly(latest.toc));
  return { tar, toc: written.toc, digests: patched.digests, told: told(tar, written) };
}

describe('a tar that is written over an old one', () => {
  test('is the one that is written from nothing, edit after edit, and opens only what changed', () => {
    fc.assert(
      fc.property(editedThings, ({ before, after, later }) => {
        const first = layerOf(before);
        const second = layerOf(after);
        const third = patch(later, first, second);
        expect(third.told).toEqual(coldOf(later));
        const fourth = patch(before, second, third);
        expect(fourth.told).toEqual(coldOf(before));
        expect(patch(after, third, fourth).told).toEqual(coldOf(after));
      }),
      { numRuns: 100 },
    );
  });

  test('of which nothing has changed is not written', () => {
    const things = [fileThing('a', 'x'), fileThing('b', 'y', 3_000_000)];
    const [first, second] = [layerOf(things), layerOf(things)];
    const { mtimeNs } = statSync(first.tar, { bigint: true });
    expect(patch(things, first, second).told).toEqual(coldOf(things));
    expect(statSync(first.tar, { bigint: true }).mtimeNs).toBe(mtimeNs);
  });

  test('keeps runs of zeros as holes, and fills no hole with them', () => {
    const sparse = fileThing('zeros', '\0', 16 << 20);
    const [first, second] = [layerOf([fileThing('a', 'x'), sparse]), layerOf([fileThing('a', 'y'), sparse])];
    const { tar } = patch([fileThing('a', 'x', 9000), sparse], first, second);
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
    expect(PatchedTar.open({ old: { toc, tar: copy }, latest })).toBeUndefined();
  });
});
