import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { digestOf } from '@caisson/oci';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BLOCK_SIZE } from './block-ring.ts';
import { hostPath } from './byte-path.ts';
import { TarOutput } from './tar-output.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-tar-output-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Pieces of different sizes, zeros and others, of which some fill more than all blocks that there are. */
const pieces = fc.array(
  fc.record({
    size: fc.oneof(fc.nat(2000), fc.constant(BLOCK_SIZE), fc.integer({ min: 0, max: 12 * BLOCK_SIZE })),
    byte: fc.constantFrom(0, 1, 255),
  }),
  { maxLength: 6 },
);

describe.each([{ inThread: false }, { inThread: true }])('a tar that is written, %o', ({ inThread }) => {
  test('has the bytes that were put into it, and their digest', () => {
    let number = 0;
    fc.assert(
      fc.property(pieces, (parts) => {
        const path = join(folder, String(number++));
        const output = new TarOutput(hostPath(path), { inThread });
        const bytes = Buffer.concat(parts.map(({ size, byte }) => Buffer.alloc(size, byte)));
        for (const { size, byte } of parts) output.write(Buffer.alloc(size, byte));
        expect(output.position).toBe(bytes.length);
        expect(output.finish()).toEqual({ digest: digestOf(bytes), size: bytes.length });
        expect(readFileSync(path).equals(bytes)).toBe(true);
        rmSync(path);
      }),
      { numRuns: inThread ? 10 : 50 },
    );
  });

  test('says how much of it is in the file, never more', () => {
    const path = join(folder, 'tar');
    const ends: number[] = [];
    const output = new TarOutput(hostPath(path), {
      inThread,
      onFlush: (end) => {
        if (end > 0) expect(readFileSync(path).subarray(0, end).equals(Buffer.alloc(end, 7))).toBe(true);
        ends.push(end);
      },
    });
    for (let written = 0; written < 20 * BLOCK_SIZE; written += 100_000)
      output.write(Buffer.alloc(100_000, 7));
    const { size } = output.finish();
    expect(ends.at(-1)).toBe(size);
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
  });

  test('that cannot be written says why', () => {
    const path = hostPath(join(folder, 'missing', 'tar'));
    const write = (): void => {
      const output = new TarOutput(path, { inThread });
      output.write(Buffer.alloc(100 * BLOCK_SIZE, 1));
      output.finish();
    };
    expect(write).toThrow('ENOENT: no such file or directory');
  });

  test('that is given up can be given up at any time', () => {
    const output = new TarOutput(hostPath(join(folder, 'tar')), { inThread });
    output.write(Buffer.alloc(30 * BLOCK_SIZE, 1));
    output.abandon();
    expect(() => new TarOutput(hostPath(join(folder, 'other')), { inThread }).abandon()).not.toThrow();
    const finished = new TarOutput(hostPath(join(folder, 'finished')), { inThread });
    finished.finish();
    expect(() => finished.abandon()).not.toThrow();
  });
});
