import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createIgnoreMatcher } from './ignore-matcher.ts';

/** fixtures/ignore.txt, which says itself how it is written: the ignore files, each with its rows. */
function cases(): { rules: string; rows: string[] }[] {
  const file = readFileSync(new URL('../../../fixtures/ignore.txt', import.meta.url), 'utf8');
  const found: { rules: string; rows: string[] }[] = [];
  for (const line of file.split('\n')) {
    if (line.startsWith('rules '))
      found.push({ rules: z.string().parse(JSON.parse(line.slice('rules '.length))), rows: [] });
    else if (/^(?:ignored|kept|error) /.test(line)) found.at(-1)?.rows.push(line);
  }
  return found;
}

describe('rules', () => {
  test.each(cases())('$rules', ({ rules, rows }) => {
    const matcher = createIgnoreMatcher(rules);
    const problems = matcher.diagnostics.map(({ range, message }) => `error ${range.start.line} ${message}`);
    const said = rows.map((row) => {
      const path = /^(?:ignored|kept) \S+ (.*)$/.exec(row)?.[1];
      if (path === undefined) return problems.shift();
      return `${matcher.ignores(path) ? 'ignored' : 'kept'} ${matcher.explain(path)?.line ?? '-'} ${path}`;
    });
    expect([...said, ...problems]).toEqual(rows);
  });
});

describe('createIgnoreMatcher', () => {
  test('names the rule that decides', () => {
    const matcher = createIgnoreMatcher('# comment\n*.log\n\n!keep.log\n');
    expect(matcher.explain('a.log')).toMatchObject({ line: 2, text: '*.log', isException: false });
    expect(matcher.explain('keep.log')).toMatchObject({ line: 4, text: '!keep.log', isException: true });
    expect(matcher.explain('other')).toBeUndefined();
  });

  test('knows where an exception may lie below what is hidden', () => {
    const matcher = createIgnoreMatcher('node_modules\n!node_modules/kept/index.js\n');
    expect(matcher.mayContainIncluded('node_modules')).toBe(true);
    expect(matcher.mayContainIncluded('node_modules/kept')).toBe(true);
    expect(matcher.mayContainIncluded('node_modules/other')).toBe(false);
  });

  test('takes any text', () => {
    const piece = fc.constantFrom(
      '*',
      '**',
      '/',
      '!',
      '[',
      ']',
      '^',
      '-',
      '\\',
      '?',
      'a',
      'b',
      '.',
      '\n',
      '#',
      ' ',
      '{',
      '(',
    );
    const path = fc.array(fc.constantFrom('a', 'b', 'ab', '.', 'é'), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), path, (pieces, names) => {
        const matcher = createIgnoreMatcher(pieces.join(''));
        const [file, folder] = [names.join('/'), names.slice(0, -1).join('/')];
        // What lies below a hidden folder is hidden, unless an exception may speak of it.
        const isBelow = folder !== '' && matcher.ignores(folder) && !matcher.mayContainIncluded(folder);
        expect(isBelow ? matcher.ignores(file) : true).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
