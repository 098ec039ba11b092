import { describe, expect, test } from 'vitest';
import { stepKey } from '../solve/key.ts';
import { InFlight, type Turns } from './in-flight.ts';

const A = stepKey({ op: 'toy', version: 1, name: 'a' });
const B = stepKey({ op: 'toy', version: 1, name: 'b' });
const NEVER = new AbortController().signal;

/** Notes when a turn comes. */
function taking(turns: Turns, key: typeof A, log: string[], name: string): Promise<void> {
  return turns.take(key, 1, NEVER).then(
    () => void log.push(name),
    (error: unknown) => void log.push(`${name}: ${error instanceof Error ? error.name : String(error)}`),
  );
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what builds are working on', () => {
  test('waits for another build, one after the other, and for no other step or store', async () => {
    const inFlight = new InFlight();
    const log: string[] = [];
    const [first, second, third] = [1, 2, 3].map(() => inFlight.turns('/store', NEVER));
    if (first === undefined || second === undefined || third === undefined) throw new Error('unreachable');
    await taking(first, A, log, 'first');
    void taking(second, A, log, 'second');
    void taking(third, A, log, 'third');
    void taking(third, B, log, 'another step');
    void taking(inFlight.turns('/other', NEVER), A, log, 'another store');
    await settled();
    expect(log.splice(0)).toStrictEqual(['first', 'another step', 'another store']);
    first.release(A, 1);
    await settled();
    expect(log.splice(0)).toStrictEqual(['second']);
    second[Symbol.dispose]();
    await settled();
    expect(log).toStrictEqual(['third']);
  });

  test('a step does not wait for itself, but for another of its build', async () => {
    const turns = new InFlight().turns('/store', NEVER);
    await turns.take(A, 1, NEVER);
    await turns.take(A, 1, NEVER);
    const log: string[] = [];
    const waiting = turns.take(A, 2, NEVER).then(() => log.push('other'));
    turns.release(A, 2);
    await settled();
    expect(log).toStrictEqual([]);
    turns.release(A, 1);
    turns.release(A, 1);
    await waiting;
    expect(log).toStrictEqual(['other']);
  });

  test('stops waiting where the step is not wanted any more', async () => {
    const turns = new InFlight().turns('/store', NEVER);
    await turns.take(A, 1, NEVER);
    const abort = new AbortController();
    const waiting = turns.take(A, 2, abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  test('stops waiting when its build is cancelled or ends', async () => {
    const inFlight = new InFlight();
    const log: string[] = [];
    await inFlight.turns('/store', NEVER).take(A, 1, NEVER);
    const abort = new AbortController();
    void taking(inFlight.turns('/store', abort.signal), A, log, 'cancelled');
    const ending = inFlight.turns('/store', NEVER);
    void taking(ending, A, log, 'ended');
    abort.abort();
    ending[Symbol.dispose]();
    await settled();
    expect(log).toStrictEqual(['cancelled: AbortError', 'ended: AbortError']);
  });
});
