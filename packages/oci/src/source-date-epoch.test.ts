import { expect, test } from 'vitest';
import { parseSourceDateEpoch } from './source-date-epoch.ts';

test.each([
  ['0', 0],
  ['1700000000', 1_700_000_000],
  ['000000000000007', 7],
  ['253402300799', 253_402_300_799],
])('%s is a time', (text, seconds) => {
  expect(parseSourceDateEpoch(text)).toEqual({ ok: true, value: seconds });
});

test.each(['', 'abc', '-1', '1.5', '253402300800', '1e3', ' 1', '0x10', '9'.repeat(400)])(
  '%j is none',
  (text) => {
    expect(parseSourceDateEpoch(text)).toEqual({
      ok: false,
      error: {
        message: `SOURCE_DATE_EPOCH ${JSON.stringify(text)} is no time`,
        expected: 'seconds since 1970, for example 1700000000',
      },
    });
  },
);
