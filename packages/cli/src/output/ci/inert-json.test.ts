import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { inertJson } from './inert-json.ts';

const HOSTILE = [
  '::error::planted',
  '\n::error::planted',
  '\r\n  ::stop-commands::x\n',
  '##[error]planted',
  '####[[error]planted',
  '\u001b[0Ksection_start:1:x\r\u001b[0K',
  '\u2028::error::planted',
];

const hostile = fc.array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string())).map((parts) => parts.join(''));
const values = fc.oneof(hostile, fc.array(hostile), fc.dictionary(hostile, fc.array(hostile)));

test('in JSON there is nothing for a CI system to obey, and it says the same', () => {
  fc.assert(
    fc.property(values, fc.constantFrom(undefined, 2), (value, indent) => {
      const text = inertJson(value, indent);
      expect(JSON.parse(text)).toEqual(value);
      expect(text).not.toContain('##[');
      // Marks of GitLab begin with an escape and end with a carriage return.
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
      for (const line of text.split('\n')) expect(line).toMatch(/^ *["[\]{}]/);
    }),
  );
});
