import { describe, expect, it } from 'vitest';
import { forecast } from './forecast.ts';
import type { StepKey } from './key.ts';
import { ToyOp } from './toy-op.ts';
import { Solver } from './solver.ts';

const NEVER = new AbortController().signal;

async function kinds(last: ToyOp): Promise<Record<string, string>> {
  const forecasts = await forecast<string>([last], NEVER);
  return Object.fromEntries(
    [...forecasts].map(([op, { kind }]) => [op instanceof ToyOp ? op.name : '', kind]),
  );
}

describe('forecast', () => {
  it('executes nothing, and says what a solver would do', async () => {
    const cache = new Map<StepKey, string>();
    const chain = (middle: string): ToyOp =>
      new ToyOp('top', [new ToyOp(middle, [new ToyOp('bottom', [], cache)], cache)], cache);
    expect(await kinds(chain('middle'))).toStrictEqual({ bottom: 'miss', middle: 'open', top: 'open' });
    await new Solver<string>({ jobs: 1 }).solve(chain('middle'));
    expect(await kinds(chain('middle'))).toStrictEqual({ bottom: 'hit', middle: 'hit', top: 'hit' });
    const other = chain('other');
    expect(await kinds(other)).toStrictEqual({ bottom: 'hit', other: 'miss', top: 'open' });
    expect(other.calls.execute).toBe(0);
  });

  it('names what an open op waits for', async () => {
    const [left, right] = [new ToyOp('left'), new ToyOp('right')];
    const above = new ToyOp('above', [left]);
    const top = new ToyOp('top', [above, right]);
    const found = (await forecast<string>([top], NEVER)).get(top);
    expect(found).toStrictEqual({ kind: 'open', behind: new Set([left, right]) });
  });
});
