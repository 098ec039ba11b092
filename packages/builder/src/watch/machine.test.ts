import { describe, expect, test } from 'vitest';
import type { Changes } from './changes.ts';
import { next, type WatchAction, type WatchInput, type WatchState } from './machine.ts';

const first: Changes = { paths: new Set(['/a']), since: 100 };
const second: Changes = { paths: new Set(['/b']), since: 130 };
const both: Changes = { paths: new Set(['/a', '/b']), since: 100 };

const STATES: Readonly<Record<WatchState['kind'], WatchState>> = {
  watching: { kind: 'watching' },
  gathering: { kind: 'gathering', changes: first },
  building: { kind: 'building' },
  overtaken: { kind: 'overtaken', changes: first },
  retiring: { kind: 'retiring', changes: first },
  closing: { kind: 'closing' },
  closed: { kind: 'closed' },
};

const INPUTS: Readonly<Record<WatchInput['kind'], WatchInput>> = {
  changed: { kind: 'changed', changes: second, now: 130 },
  quiet: { kind: 'quiet' },
  ended: { kind: 'ended' },
  close: { kind: 'close' },
};

const closed: WatchState = { kind: 'closed' };
const wait: WatchAction = { kind: 'wait', for: 15 };

/** What comes of each input in each state; nothing where that cannot be. */
const TABLE: readonly [
  WatchState['kind'],
  WatchInput['kind'],
  readonly [WatchState, ...WatchAction[]] | undefined,
][] = [
  ['watching', 'changed', [{ kind: 'gathering', changes: second }, wait]],
  ['watching', 'quiet', undefined],
  ['watching', 'ended', undefined],
  ['watching', 'close', [closed, { kind: 'finish' }]],
  ['gathering', 'changed', [{ kind: 'gathering', changes: both }, wait]],
  ['gathering', 'quiet', [{ kind: 'building' }, { kind: 'build', changes: first }]],
  ['gathering', 'ended', undefined],
  ['gathering', 'close', [closed, { kind: 'stop-waiting' }, { kind: 'finish' }]],
  ['building', 'changed', [{ kind: 'overtaken', changes: second }, wait]],
  ['building', 'quiet', undefined],
  ['building', 'ended', [{ kind: 'watching' }, { kind: 'rest' }]],
  ['building', 'close', [{ kind: 'closing' }, { kind: 'abort' }]],
  ['overtaken', 'changed', [{ kind: 'overtaken', changes: both }, wait]],
  [
    'overtaken',
    'quiet',
    [
      { kind: 'retiring', changes: first },
      { kind: 'retire', changes: first },
    ],
  ],
  ['overtaken', 'ended', [{ kind: 'gathering', changes: first }]],
  ['overtaken', 'close', [{ kind: 'closing' }, { kind: 'stop-waiting' }, { kind: 'abort' }]],
  ['retiring', 'changed', [{ kind: 'overtaken', changes: { ...both, since: 130 } }, wait]],
  ['retiring', 'quiet', undefined],
  ['retiring', 'ended', [{ kind: 'building' }, { kind: 'build', changes: first }]],
  ['retiring', 'close', [{ kind: 'closing' }, { kind: 'abort' }]],
  ['closing', 'changed', [{ kind: 'closing' }]],
  ['closing', 'quiet', undefined],
  ['closing', 'ended', [closed, { kind: 'finish' }]],
  ['closing', 'close', [{ kind: 'closing' }]],
  ['closed', 'changed', [closed]],
  ['closed', 'quiet', [closed]],
  ['closed', 'ended', [closed]],
  ['closed', 'close', [closed]],
];

describe('the state machine of a watch', () => {
  test('has an answer to each input in each state', () => {
    expect(TABLE).toHaveLength(Object.keys(STATES).length * Object.keys(INPUTS).length);
  });

  test.each(TABLE)('%s, %s', (state, input, expected) => {
    if (expected === undefined) {
      expect(() => next(STATES[state], INPUTS[input])).toThrow(`Internal error: ${input} while ${state}`);
    } else expect(next(STATES[state], INPUTS[input])).toEqual(expected);
  });

  test('waits for longer where much changes, but not for ever', () => {
    const many: Changes = {
      paths: new Set(Array.from({ length: 11 }, (_, number) => `/${number}`)),
      since: 0,
    };
    const waits = [20, 4850, 4950, 9000].map(
      (now) => next(STATES.watching, { kind: 'changed', changes: many, now })[1],
    );
    expect(waits).toEqual([100, 100, 50, 0].map((ms) => ({ kind: 'wait', for: ms })));
  });
});
