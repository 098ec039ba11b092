import { describe, expect, test } from 'vitest';
import { LayerError } from './errors.ts';
import { SparseContent, sparseRecords } from './sparse-map.ts';

type Rows = readonly (readonly [string, string])[];

const NUMBERS = ['2', '3', '7', '1', '12', '0'];
const BYTES = 'abcd';
const WHOLE = '..abc..d....';

const V0: Rows = [
  ['size', '12'],
  ['numblocks', '3'],
  ...NUMBERS.map((value, at): [string, string] => [at % 2 === 0 ? 'offset' : 'numbytes', value]),
];
const V01: Rows = [
  ['size', '12'],
  ['name', 'n'],
  ['map', NUMBERS.join(',')],
];
const V1: Rows = [
  ['major', '1'],
  ['minor', '0'],
  ['name', 'n'],
  ['realsize', '12'],
];

function mapBlock(...numbers: readonly string[]): string {
  const text = numbers.map((each) => `${each}\n`).join('');
  return text.padEnd(Math.ceil(text.length / 512) * 512, '\0');
}

/** What a file is, dots for holes. */
function unfolded(rows: Rows, stored: string, step: number): string {
  const records = sparseRecords(rows);
  if (records === undefined) throw new Error('no sparse file');
  let out = '';
  const content = new SparseContent(records, {
    data: (chunk) => (out += chunk.toString('latin1')),
    hole: (length) => (out += '.'.repeat(length)),
  });
  const bytes = Buffer.from(stored, 'latin1');
  for (let at = 0; at < bytes.length; at += step) content.push(bytes.subarray(at, at + step));
  content.finish();
  return out;
}

describe.each([1, 5, 512, 10_000])('in pieces of %i bytes', (step) => {
  test.each([
    ['0.0', V0, BYTES],
    ['0.1', V01, BYTES],
    ['1.0', V1, mapBlock('3', ...NUMBERS) + BYTES],
    [
      '1.0 with a map of several blocks',
      V1,
      mapBlock('303', ...'0 0 '.repeat(300).trim().split(' '), ...NUMBERS) + BYTES,
    ],
  ])('a file of version %s is as it was', (_version, rows, stored) => {
    expect(unfolded(rows, stored, step)).toBe(WHOLE);
  });
});

test('records of versions that nobody knows say nothing', () => {
  expect(sparseRecords([...V1.slice(2), ['major', '2'], ['minor', '0']])).toBeUndefined();
  expect(sparseRecords([['size', 'x']])).toBeUndefined();
});

test.each([
  ['fewer bytes than its map', V01, 'abc'],
  ['more bytes than its map', V01, 'abcde'],
  ['half a map', V1, '3\n0\n'],
  ['an endless map', V1, '1'.repeat(20)],
  [
    'a part that goes back',
    [
      ['size', '12'],
      ['map', '4,2,5,1'],
    ],
    'abc',
  ],
  [
    'a part beyond its end',
    [
      ['size', '12'],
      ['map', '4,9'],
    ],
    'abcdefghi',
  ],
  [
    'half a part',
    [
      ['size', '12'],
      ['map', '4'],
    ],
    '',
  ],
  [
    'a negative part',
    [
      ['size', '12'],
      ['map', '-4,1'],
    ],
    'a',
  ],
  [
    'more bytes than any disk',
    [
      ['size', String(2 ** 60)],
      ['map', '0,0'],
    ],
    '',
  ],
] satisfies readonly (readonly [string, Rows, string])[])('%s is an error', (_what, rows, stored) => {
  expect(() => unfolded(rows, stored, 100)).toThrow(LayerError);
});
