import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { familiarName, formatReference, parseReference } from './reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseReference', () => {
  test.each([
    ['debian', 'docker.io/library/debian:latest'],
    ['debian:12', 'docker.io/library/debian:12'],
    ['team/app', 'docker.io/team/app:latest'],
    ['docker.io/debian', 'docker.io/library/debian:latest'],
    ['index.docker.io/team/app:1', 'docker.io/team/app:1'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['r.io/a/b/c:x', 'r.io/a/b/c:x'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    [`app@${DIGEST}`, `docker.io/library/app@${DIGEST}`],
    [`app:1@${DIGEST}`, `docker.io/library/app:1@${DIGEST}`],
    ['a__b/c.d-e', 'docker.io/a__b/c.d-e:latest'],
  ])('%s is %s', (text, full) => {
    const parsed = parseReference(text);
    expect(parsed.ok && formatReference(parsed.value)).toBe(full);
  });

  test.each([
    ['', 'empty'],
    ['Debian', '"Debian": the repository name must be in lower case: "debian"'],
    ['a//b', 'not a repository name'],
    ['a b', '"a b": "a b" is not a repository name'],
    ['A B', '"A B" is not a repository name'],
    ['a/../b', 'not a repository name'],
    ['a%2e%2e/b', 'not a repository name'],
    ['a:-x', 'the tag "-x" is not valid'],
    [`a:${'x'.repeat(129)}`, 'the tag'],
    ['a@sha256:123', 'expected "sha256:" and 64 lower-case hex digits after "@"'],
    [`a@${DIGEST}@${DIGEST}`, ''],
    [`a@sha512:${'a'.repeat(128)}`, 'expected "sha256:"'],
    ['a b', ''],
    ['-r.io/a', ''],
    [`r.io/${'a/'.repeat(130)}b`, 'longer than 255'],
  ])('%s is none', (text, message) => {
    const parsed = parseReference(text);
    expect(parsed.ok ? 'a reference' : parsed.error).toContain(message);
    expect(parsed.ok).toBe(false);
  });

  test('what it gives reads back as the same', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', '0', '/', '.', ':', '-', '_', '@'), maxLength: 30 }),
        (text) => {
          const parsed = parseReference(text);
          if (!parsed.ok) return;
          for (const form of [formatReference(parsed.value), familiarName(parsed.value)])
            expect(parseReference(form)).toEqual(parsed);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
