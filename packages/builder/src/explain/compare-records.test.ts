import { canonicalJson, digestOf, type Digest, type Json } from '@caisson/oci';
import { describe, expect, test } from 'vitest';
import { EMPTY_STATE, statePart, stateDigest, type FileState } from '../state.ts';
import type { Change } from '../solve/miss-reason.ts';
import { compareRecords, distance, type OldRecord, type StepToExplain } from './compare-records.ts';
import type { PartReader } from './compare-selections.ts';

const NOW = { op: 'run', version: 2, args: ['sh'], env: ['A=1', 'B=2'], cwd: '/' };
const STEP: StepToExplain = {
  before: EMPTY_STATE,
  context: undefined,
  platform: undefined,
  titles: [],
  args: new Set(['B']),
  mounted: [],
};
const nothing: PartReader = () => undefined;

function changes(before: OldRecord, after = NOW, read = nothing): Change[] {
  return compareRecords(before, after, STEP, read);
}

describe('two key records', () => {
  test('that are the same have no change', () => {
    expect(changes({ ...NOW })).toEqual([]);
    expect(distance({ ...NOW }, NOW)).toBe(0);
  });

  test('tell variables one by one, and fields behind them', () => {
    const before = { ...NOW, env: ['A=0', 'C=3'], cwd: '/w' };
    expect(changes(before)).toEqual([
      { kind: 'variable', name: 'A', isArg: false, before: '0', after: '1' },
      { kind: 'variable', name: 'C', isArg: false, before: '3', after: undefined },
      { kind: 'variable', name: 'B', isArg: true, before: undefined, after: '2' },
      { kind: 'field', field: 'cwd', before: '/w', after: '/' },
    ]);
    expect(distance(before, NOW)).toBe(4);
  });

  test('tell the order of variables', () => {
    const before = { ...NOW, env: ['B=2', 'A=1'] };
    expect(changes(before)).toEqual([{ kind: 'field', field: 'env', before: before.env, after: NOW.env }]);
    expect(distance(before, NOW)).toBe(1);
  });

  test('tell fields that are new or gone, and a version that was raised', () => {
    const { cwd: _without, ...rest } = NOW;
    expect(changes({ ...rest, version: 1, network: 'none' })).toEqual([
      { kind: 'field', field: 'version', before: 1, after: 2 },
      { kind: 'field', field: 'network', before: 'none', after: undefined },
      { kind: 'field', field: 'cwd', before: undefined, after: '/' },
    ]);
  });

  test.each<[Json]>([[null], [5], [{}], [[5, null]], ['A=1']])(
    'an environment %j of another machine',
    (env) => {
      expect(changes({ ...NOW, env })).toMatchObject([{ name: 'A' }, { name: 'B' }]);
    },
  );
});

const read =
  (parts: ReadonlyMap<Digest, Json>): PartReader =>
  (digest) =>
    parts.get(digest);

const by = (state: Json, reader: PartReader, before: FileState = EMPTY_STATE): Change[] =>
  compareRecords({ ...NOW, state }, { ...NOW, state: digestOf('now') }, { ...STEP, before }, reader);

/** The digest of a chain of contents, and what it is made from. */
function chain(...names: readonly string[]): {
  readonly digest: Digest;
  readonly parts: Map<Digest, Json>;
} {
  const parts = new Map<Digest, Json>();
  let digest = stateDigest(EMPTY_STATE);
  for (const name of names) {
    const part = [digest, digestOf(name)];
    digest = digestOf(canonicalJson(part));
    parts.set(digest, part);
  }
  return { digest, parts };
}

describe('the state before', () => {
  test('is made as it is read', () => {
    expect(chain('a').digest).toBe(digestOf(statePart(EMPTY_STATE, digestOf('a'))));
  });

  test.each<[string, Json]>([
    ['no digest', 'nonsense'],
    ['no text', 5],
    ['one that nobody knows', digestOf('unknown')],
  ])('is told without a cause for %s', (_, state) => {
    expect(by(state, nothing)).toEqual([{ kind: 'state', by: undefined }]);
  });

  test.each<[Json]>([[5], [{}], [[]], [['x', 'y']], [[digestOf('a')]], [[digestOf('a'), 7]]])(
    'is told without a cause for the part %j',
    (part) => {
      expect(by(digestOf('old'), () => part)).toEqual([{ kind: 'state', by: undefined }]);
    },
  );

  test('is told without a cause where states go round in a circle', () => {
    const [one, two] = [digestOf('one'), digestOf('two')];
    const round = new Map<Digest, Json>([
      [one, [two, digestOf('a')]],
      [two, [one, digestOf('b')]],
    ]);
    expect(by(one, read(round))).toEqual([{ kind: 'state', by: undefined }]);
  });

  test('is told without a cause where it is a part of the earlier one', () => {
    const { digest, parts } = chain('a', 'b');
    expect(by(digest, read(parts))).toEqual([{ kind: 'state', by: undefined }]);
  });
});
