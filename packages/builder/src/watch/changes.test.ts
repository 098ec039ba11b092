import { expect, test } from 'vitest';
import { changeOf, merged } from './changes.ts';

test('changes are gathered since the first of them', () => {
  expect(merged(changeOf('/a', 5), changeOf('/b', 3))).toEqual({ paths: new Set(['/a', '/b']), since: 3 });
  expect(merged(changeOf('/a', 5), { paths: 'everything', since: 9 })).toEqual({
    paths: 'everything',
    since: 5,
  });
});

test('a flood of them is everything', () => {
  expect(gathered(1000)).toHaveProperty('size', 1000);
  expect(gathered(1001)).toBe('everything');
});

function gathered(count: number): ReadonlySet<string> | 'everything' {
  return Array.from({ length: count }, (_, number) => changeOf(`/${number}`, 0)).reduce(merged).paths;
}
