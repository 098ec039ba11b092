import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Ulimit } from '../limits.ts';
import { checkUlimits, ociRlimits } from './rlimits.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max core file size        0                    unlimited            bytes
Max open files            1024                 20000                files
`;

const parent = mkdtempSync(join(tmpdir(), 'caisson-rlimits-'));
afterAll(() => rmSync(parent, { recursive: true }));

function proc(effective: string): string {
  const folder = mkdtempSync(join(parent, 'proc-'));
  writeFileSync(join(folder, 'limits'), LIMITS);
  writeFileSync(join(folder, 'status'), `Name:\tnode\nCapEff:\t${effective}\n`);
  return folder;
}

const files = (hard: number): Ulimit => ({ resource: 'nofile', soft: 10, hard });

describe('limits of processes', () => {
  test('may be lowered by all, and raised by those who have the right', () => {
    checkUlimits([files(20_000), { resource: 'core', soft: -1, hard: -1 }], proc('0000000000000000'));
    checkUlimits([files(-1)], proc('0000000001000000'));
    const hint = '20000 is the most that this process may have, without CAP_SYS_RESOURCE';
    for (const [hard, shown] of [
      [20_001, '20001'],
      [-1, 'no limit'],
    ] as const)
      expect(() => checkUlimits([files(hard)], proc('000001fffeffffff'))).toThrow(
        expect.objectContaining({ message: `the limit nofile cannot be raised to ${shown} here`, hint }),
      );
  });

  test('are numbers of 64 bits to an OCI runtime', () => {
    expect(JSON.stringify(ociRlimits([files(-1)]))).toBe(
      '[{"type":"RLIMIT_NOFILE","soft":10,"hard":18446744073709551615}]',
    );
  });
});
