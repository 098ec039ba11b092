import { describe, expect, test } from 'vitest';
import { BuildError } from './failure.ts';
import { sourceDateEpoch } from './source-date-epoch.ts';

describe('SOURCE_DATE_EPOCH', () => {
  test('is a build arg as well', () => {
    expect(sourceDateEpoch({ sourceDateEpoch: 100, buildArgs: { A: '1' } })).toEqual({
      sourceDateEpoch: 100,
      buildArgs: new Map([
        ['A', '1'],
        ['SOURCE_DATE_EPOCH', '100'],
      ]),
    });
    expect(sourceDateEpoch({ sourceDateEpoch: 100, buildArgs: { SOURCE_DATE_EPOCH: '7' } })).toMatchObject({
      sourceDateEpoch: 7,
    });
    expect(sourceDateEpoch({ buildArgs: { SOURCE_DATE_EPOCH: '' } }).sourceDateEpoch).toBeUndefined();
    expect(sourceDateEpoch({}).buildArgs.size).toBe(0);
  });

  test.each(['abc', '253402300800'])('%s is none', (text) => {
    expect(() => sourceDateEpoch({ buildArgs: { SOURCE_DATE_EPOCH: text } })).toThrow(
      new BuildError([
        {
          code: 'invalid-request',
          message: `SOURCE_DATE_EPOCH ${JSON.stringify(text)} is no time`,
          expected: 'seconds since 1970, for example 1700000000',
        },
      ]),
    );
  });
});
