import { describe, expect, test } from 'vitest';
import { stepKey } from './key.ts';
import { Solver } from './solver.ts';
import { ToyOp } from './toy-op.ts';

const RECORD = { op: 'run', version: 2, env: ['A=1', 'B=2'], cwd: '/' };

describe('a step key', () => {
  test('is the same however a record was put together', () => {
    expect(stepKey({ cwd: '/', version: 2, env: ['A=1', 'B=2'], op: 'run' })).toBe(stepKey(RECORD));
  });

  test.each([
    { ...RECORD, version: 3 },
    { ...RECORD, op: 'copy' },
    { ...RECORD, env: ['B=2', 'A=1'] },
    { ...RECORD, sourceDateEpoch: 0 },
    { ...RECORD, cwd: null },
  ])('is another one for %j', (other) => {
    expect(stepKey(other)).not.toBe(stepKey(RECORD));
  });

  test('of an older version finds nothing: what a fix changes is made anew', async () => {
    const old = new ToyOp('a');
    await new Solver<string>({ jobs: 1 }).solve(old);
    const again = new ToyOp('a', [], old.cache);
    await new Solver<string>({ jobs: 1 }).solve(again);
    expect(again.calls.execute).toBe(0);
    const raised = new ToyOp('a', [], old.cache);
    raised.version++;
    await new Solver<string>({ jobs: 1 }).solve(raised);
    expect(raised.calls.execute).toBe(1);
  });
});
