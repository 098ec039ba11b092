import { describe, expect, test } from 'vitest';
import { nameColumns } from './image-names.ts';
import { ago, seconds, size } from './output/format.ts';
import { table } from './output/table.ts';
import {
  parseBuildArgs,
  parseCount,
  parseDuration,
  parsePull,
  parseRuntimes,
  parseSourceDateEpoch,
} from './parse-options.ts';
import { parseVolume } from './parse-volume.ts';
import { hasColor } from './terminal.ts';
import { parseOutput } from './parse-output.ts';
import { UsageError } from './usage-error.ts';

describe('options', () => {
  test.each([
    ['type=oci,dest=a.tar', { type: 'oci', destination: '/here/a.tar' }],
    ['type=oci,dest=layout/', { type: 'oci', destination: '/here/layout/' }],
    ['type=oci,dest=layout,tar=false', { type: 'oci', destination: '/here/layout/' }],
    ['type=docker', { type: 'docker', destination: '-' }],
    ['out', { type: 'local', destination: '/here/out' }],
    ['-', { type: 'tar', destination: '-' }],
    ['type=image', { names: [], push: false, isLoaded: true }],
    ['type=image,name=a,push=true', { names: ['a'], push: true, isLoaded: true }],
    ['type=registry,name=a', { names: ['a'], push: true, isLoaded: false }],
    [
      'type=registry,name=a,compression=uncompressed',
      { names: ['a'], push: true, isLoaded: false, compression: 'none' },
    ],
    ['type=docker,dest=a,compression=zstd', { type: 'docker', destination: '/here/a', compression: 'zstd' }],
    ['type=oci,dest=a,oci-mediatypes=true', { type: 'oci', destination: '/here/a' }],
  ])('-o %s', (text, expected) => {
    expect(parseOutput(text, '/here')).toEqual('names' in expected ? { ...expected, text } : expected);
  });

  test.each([
    'type=local',
    'type=local,dest=-',
    'dest=x',
    'type=oci,dest',
    'type=oci,color=red',
    'type=image,dest=x',
    'type=image,push=no',
  ])('-o %s is refused', (text) => {
    expect(() => parseOutput(text, '/here')).toThrow(UsageError);
  });

  test('--build-arg', () => {
    const env = { B: 'from env' };
    expect(parseBuildArgs(['A=1=2', 'B', 'C', 'D='], env)).toEqual({ A: '1=2', B: 'from env', D: '' });
    expect(() => parseBuildArgs(['=x'], {})).toThrow('--build-arg "=x" has no name');
  });

  test.each([
    [undefined, 'default'],
    [true, 'always'],
    ['true', 'always'],
    ['false', 'default'],
    ['never', 'never'],
  ] as const)('--pull %s is %s', (value, expected) => {
    expect(parsePull(value)).toBe(expected);
  });

  test.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
  ])('the duration %s', (text, expected) => {
    expect(parseDuration('--older-than', text)).toBe(expected);
  });

  test.each(['', '5', 'h', '1w', '-1h'])('the duration %j is none', (text) => {
    expect(() => parseDuration('--older-than', text)).toThrow(UsageError);
  });

  test('others', () => {
    expect(parseRuntimes({ by: '--runtime', value: 'crun,namespaces' })).toEqual(['crun', 'namespaces']);
    expect(() => parseRuntimes({ by: '--runtime', value: 'crum' })).toThrow(UsageError);
    expect(parseSourceDateEpoch('0')).toBe(0);
    expect(() => parseSourceDateEpoch('yesterday')).toThrow(UsageError);
    expect(parseCount('--jobs', '4')).toBe(4);
    for (const text of ['0', '-1', '1.5', 'x']) expect(() => parseCount('--jobs', text)).toThrow(UsageError);
  });

  test.each([
    ['/a:/b', { source: '/a', target: '/b', isReadOnly: false }],
    ['./a:/b:ro', { source: '/here/a', target: '/b', isReadOnly: true }],
    ['/a:/b/../c:rw,z', { source: '/a', target: '/c', isReadOnly: false }],
  ])('-v %s', (text, expected) => {
    expect(parseVolume(text, '/here')).toEqual(expected);
  });

  test.each(['/a', '/a:', 'a:/b', '/a:b', '/a:/b:no', '/a:/', '/a:/b:ro:x'])('-v %s is refused', (text) => {
    expect(() => parseVolume(text, '/here')).toThrow(UsageError);
  });
});

describe('output', () => {
  test('sizes and times as docker shows them', () => {
    expect([0, 999, 1000, 1_500_000, 123_456_789].map(size)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '1.50 MB',
      '123 MB',
    ]);
    expect([400, 61_000, 125_000].map(seconds)).toEqual(['0.4 s', '61.0 s', '2 min 5 s']);
    const now = Date.parse('2026-01-10T00:00:00Z');
    expect(ago('2026-01-09T23:59:59Z', now)).toBe('1 second ago');
    expect(ago('2026-01-08T00:00:00Z', now)).toBe('2 days ago');
    expect(ago(undefined, now)).toBe('unknown');
  });

  test('tables line up', () => {
    expect(
      table(
        ['A', 'BB'],
        [
          ['long', 'x'],
          ['', 'y'],
        ],
      ),
    ).toBe('A      BB\nlong   x\n       y\n');
  });

  test('names in two columns', () => {
    const name = 'docker.io/library/app:1';
    expect(nameColumns(name)).toEqual(['app', '1']);
    expect(nameColumns(`r.io/team/app@sha256:${'a'.repeat(64)}`)).toEqual(['r.io/team/app', '<none>']);
    expect(nameColumns(undefined)).toEqual(['<none>', '<none>']);
  });

  test('colours', () => {
    expect(hasColor({}, true)).toBe(true);
    expect(hasColor({}, false)).toBe(false);
    expect(hasColor({ NO_COLOR: '1' }, true)).toBe(false);
    expect(hasColor({ FORCE_COLOR: '1' }, false)).toBe(true);
    expect(hasColor({ TERM: 'dumb' }, true)).toBe(false);
  });
});
