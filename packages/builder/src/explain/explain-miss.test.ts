import { expect, it } from 'vitest';
import { digestOf } from '@caisson/oci';
import { partReader } from './explain-miss.ts';

it('reads a part as JSON, and one that is none, or not what its digest says, not at all', () => {
  const texts = ['[1]', 'not json', '', '[2'];
  const read = partReader((digest) => texts.find((text) => digestOf(text) === digest) ?? '[3]');
  expect(read(digestOf('[1]'))).toStrictEqual([1]);
  for (const text of texts.slice(1)) expect(read(digestOf(text))).toBeUndefined();
  expect(read(digestOf('[4]'))).toBeUndefined();
});
