import { describe, expect, test } from 'vitest';
import { digestOf } from '@caisson/oci';
import { StepTally } from './step-tally.ts';
import { cached, done, started, stepInfo } from './testing/events.ts';

describe('the tally of steps', () => {
  test('tells how many were cached and ran, and how it ended', () => {
    const tally = new StepTally();
    tally.note(cached(stepInfo(1)));
    tally.note(started(stepInfo(2)));
    tally.note(done(stepInfo(2)));
    expect(tally.summary('built', 1234)).toBe('built in 1.2 s: 1 step cached, 1 ran');
    tally.note(started(stepInfo(3)));
    tally.note({ kind: 'step-failed', step: stepInfo(3), duration: 1 });
    expect(tally.summary('failed', 200_000)).toBe('failed after 3 min 20 s: 1 step cached, 1 ran, 1 failed');
    tally.note(started(stepInfo(4)));
    tally.note({ kind: 'step-cancelled', step: stepInfo(4), duration: 1 });
    expect(tally.summary('cancelled', 10)).toBe(
      'cancelled after 0.0 s: 1 step cached, 1 ran, 1 failed, 1 cancelled',
    );
  });

  test('a step that was solved again counts once, as it ended', () => {
    const tally = new StepTally();
    tally.note(started(stepInfo(1)));
    tally.note(cached(stepInfo(1)));
    expect(tally.summary('built', 0)).toBe('built in 0.0 s: 1 step cached, 0 ran');
    expect(tally.reasons()).toEqual([]);
  });

  test('steps with one reason share a line, and there are not many lines', () => {
    const tally = new StepTally();
    for (const id of [5, 1, 2, 3]) tally.note(started(stepInfo(id)));
    tally.note(started(stepInfo(4), { kind: 'evicted' }));
    expect(tally.reasons()).toEqual(['#1-#3, #5: no earlier record', '#4: evicted']);
    for (const id of [6, 7, 8, 9, 10, 11])
      tally.note(
        started(stepInfo(id), {
          kind: 'changed',
          than: digestOf('than'),
          changes: [{ kind: 'variable', name: `V${id}`, isArg: true, before: 'a', after: 'b' }],
        }),
      );
    expect(tally.reasons()).toEqual([
      '#1-#3, #5: no earlier record',
      '#4: evicted',
      '#6: ARG V6',
      '#7: ARG V7',
      '#8: ARG V8',
      'and 3 more: caisson explain',
    ]);
  });
});
