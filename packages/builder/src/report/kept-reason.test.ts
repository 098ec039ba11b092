import { describe, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import type { MissReason } from '../solve/miss-reason.ts';
import { keptReason } from './kept-reason.ts';

/** A reason that names so many files. */
function reasonOf(count: number): MissReason {
  const files = Array.from({ length: count }, (_, index) => ({
    path: `file-${index}`,
    change: 'added' as const,
    fields: [],
  }));
  const changes = [{ kind: 'state' } as const, { kind: 'files' as const, field: 'selection', files }];
  return { kind: 'changed', than: digestOf('than'), changes };
}

describe('the reason that is kept', () => {
  test('is the whole where it is not long', () => {
    expect(keptReason(reasonOf(1000))).toStrictEqual(reasonOf(1000));
    expect(keptReason({ kind: 'evicted' })).toStrictEqual({ kind: 'evicted' });
  });

  test('says how many files it leaves out', () => {
    const kept = keptReason(reasonOf(100_000));
    const files = kept.kind === 'changed' ? kept.changes[1] : undefined;
    expect(files).toMatchObject({ kind: 'files', more: 99_000 });
    expect(files?.kind === 'files' && files.files.at(-1)?.path).toBe('file-999');
    expect(JSON.stringify(kept).length).toBeLessThan(100_000);
  });
});
