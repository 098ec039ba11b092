import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostPath, type HostPath } from './byte-path.ts';
import { EarlierLayer } from './earlier-layer.ts';
import { changedOnly, editedThings, entriesOf, fileThing, writeLayer } from './testing/random-layer.ts';
import { encodeToc } from './toc.ts';

let folder: string;
let files = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-splice-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const newFile = (): HostPath => hostPath(join(folder, `${files++}.tar`));

describe('a layer that is spliced from an earlier one', () => {
  test('is the one that is written from nothing, and opens only what changed', () => {
    fc.assert(
      fc.property(editedThings, ({ before, after }) => {
        const [tar, cold, spliced] = [newFile(), newFile(), newFile()];
        const { toc, diffId } = writeLayer(tar, entriesOf(before));
        const expected = writeLayer(cold, entriesOf(after));
        using earlier = EarlierLayer.open(toc, tar, diffId);
        if (earlier === undefined) throw new Error('a layer of ours that cannot be opened');
        const written = writeLayer(spliced, entriesOf(after), { earlier }, changedOnly(toc));
        expect(written.diffId).toBe(expected.diffId);
        expect(written.contentDigest).toBe(expected.contentDigest);
        expect(encodeToc(written.toc)).toBe(encodeToc(expected.toc));
        expect(readFileSync(spliced).equals(readFileSync(cold))).toBe(true);
        for (const each of [tar, cold, spliced]) rmSync(each);
      }),
      { numRuns: 100 },
    );
  });

  test('spreads no damage: a bit that flipped anywhere in the earlier one is found', () => {
    const before = [fileThing('a', 'x'), fileThing('b', 'x'), fileThing('c', 'x'), fileThing('d', 'x')];
    const after = [fileThing('a', 'x'), fileThing('b', 'y'), fileThing('d', 'x')];
    const tar = newFile();
    const { toc, diffId, size } = writeLayer(tar, entriesOf(before));
    const bytes = readFileSync(tar);
    for (let at = 0; at < size; at += 509) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      writeFileSync(tar, damaged);
      using earlier = EarlierLayer.open(toc, tar, diffId);
      expect(() => writeLayer(newFile(), entriesOf(after), { earlier }), `byte ${at}`).toThrow(
        `the layer ${diffId} is damaged`,
      );
    }
  });

  test('is not made of one that is cut off, or of which nobody knows where files lie', () => {
    const tar = newFile();
    const { toc, diffId } = writeLayer(tar, entriesOf([fileThing('a', 'x')]));
    writeFileSync(tar, readFileSync(tar).subarray(512));
    expect(EarlierLayer.open(toc, tar, diffId)).toBeUndefined();
  });
});
