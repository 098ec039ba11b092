import { describe, expect, test } from 'vitest';
import { BUILD_BOUNDS, OUTPUT_BOUNDS } from './event-bounds.ts';
import type { RunOutput } from './run-options.ts';
import { Running } from './running.ts';

const MIB = 1 << 20;

/** What an iterator gets that begins when everything was told: as much as was kept, then the rest. */
async function takenLate<Event>(work: Running<Event, void>): Promise<Event[]> {
  const events: Event[] = [];
  const iterator = work[Symbol.asyncIterator]();
  await work;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
    events.push(next.value);
  return events;
}

describe('what waits for an iterator', () => {
  test('of a build is 16 MiB at most; what says how it went is never lost', async () => {
    const work = new Running<{ readonly kind: string; readonly data?: Uint8Array }, void>(
      { ...BUILD_BOUNDS, instead: (count) => ({ kind: `lost ${count}` }) },
      async (emit) => {
        await Promise.resolve();
        for (let index = 0; index < 20; index++) emit({ kind: 'step-output', data: new Uint8Array(MIB) });
        emit({ kind: 'fetch' });
        emit({ kind: 'step-done' });
      },
    );
    const kinds = (await takenLate(work)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'step-output')).toHaveLength(15);
    expect(kinds.slice(15)).toStrictEqual(['lost 5', 'fetch', 'step-done']);
  });

  test('of a program is told where it is not taken in time', async () => {
    const work = new Running<RunOutput, void>(OUTPUT_BOUNDS, async (emit) => {
      await Promise.resolve();
      for (let index = 0; index < 17; index++) emit({ stream: 'stdout', data: new Uint8Array(MIB) });
    });
    await expect(takenLate(work)).rejects.toMatchObject({
      code: 'output',
      message: 'what the program wrote was not taken in time: more than 16 MiB of it waited',
      failures: [{ hint: 'take it as it comes, or have the program write to a file of a volume' }],
    });
  });
});
