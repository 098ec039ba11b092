import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import type { Environment } from './environment.ts';
import { expandWord, expandWords } from './expand.ts';

const Env = z.record(z.string(), z.string());

interface Row {
  readonly env: Readonly<Record<string, string>>;
  readonly mode: 'word' | 'words' | 'word`';
  readonly text: string;
  readonly outcome: string;
}

/** fixtures/expand.txt, which says itself how it is written. */
function rows(): Row[] {
  const file = readFileSync(new URL('../../../fixtures/expand.txt', import.meta.url), 'utf8');
  let env: Row['env'] = {};
  return file.split('\n').flatMap((line): Row[] => {
    if (line.startsWith('env ')) env = Env.parse(JSON.parse(line.slice('env '.length)));
    const match = /^(words?`?) (.*) ((?:=>|!!) .*)$/.exec(line);
    const [, mode, text = '', outcome = ''] = match ?? [];
    return mode === 'word' || mode === 'words' || mode === 'word`' ? [{ env, mode, text, outcome }] : [];
  });
}

function outcomeOf({ env, mode, text }: Row): string {
  const options = mode === 'word`' ? ({ escape: '`' } as const) : {};
  const expanded = mode === 'words' ? expandWords(text, env) : expandWord(text, env, options);
  if (expanded.ok) return `=> ${JSON.stringify(expanded.value)}`;
  const where = ` in ${JSON.stringify(text)}`;
  expect(expanded.error.message.endsWith(where)).toBe(true);
  return `!! ${expanded.error.message.slice(0, -where.length)}`;
}

describe('words', () => {
  test.each(rows())('$mode $text', (row) => {
    expect(outcomeOf(row)).toBe(row.outcome);
  });
});

describe('the environment', () => {
  const cases: readonly Environment[] = [
    new Map([['Path', 'value']]),
    { Path: 'value' },
    { get: (name) => (name === 'Path' ? 'value' : undefined) },
  ];
  test.each(cases)('may be a map, an object or a function: %#', (env) => {
    expect(expandWord('$Path', env)).toEqual({ ok: true, value: 'value' });
    expect(expandWord('$PATH', env)).toEqual({ ok: true, value: '' });
  });

  test('what objects inherit is no variable', () => {
    expect(expandWord('$toString${constructor}', {})).toEqual({ ok: true, value: '' });
  });

  test('names have no case when building for Windows', () => {
    const options = { platform: 'windows/amd64' };
    expect(expandWord('$PATH ${path:+set}', new Map([['Path', 'value']]), options)).toEqual({
      ok: true,
      value: 'value set',
    });
    expect(expandWord('$PATH', { Path: 'value' }, { platform: 'linux/amd64' })).toEqual({
      ok: true,
      value: '',
    });
  });
});

describe('any text', () => {
  const ENV = { A: 'value', E: '', P: '/usr/local/bin', S: 'two  words' };
  const piece = fc.constantFrom(
    '$',
    '${',
    '}',
    'A',
    'E',
    'P',
    'S',
    ':-',
    ':?',
    '#',
    '##',
    '%',
    '/',
    '//',
    '"',
    "'",
    '\\',
    ' ',
    '*',
    '[',
  );

  test('expands to a text or an error, and never throws', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 30 }), (pieces) => {
        const expanded = expandWord(pieces.join(''), ENV);
        expect(typeof (expanded.ok ? expanded.value : expanded.error.message)).toBe('string');
      }),
      { numRuns: 2000 },
    );
  });

  test('in single quotes is itself', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("'")),
        (text) => {
          expect(expandWord(`'${text}'`, ENV)).toEqual({ ok: true, value: text });
        },
      ),
    );
  });

  test('that is nested deeply, or grows, is an error', () => {
    const deep = expandWord('${A:+'.repeat(100_000), ENV);
    expect(deep.ok ? '' : deep.error.message).toMatch(/^variables are nested too deeply in "\$\{A/);
    const long = expandWord('$A'.repeat(100), { A: 'x'.repeat(200_000) });
    expect(long.ok ? '' : long.error.message).toMatch(/^the value is longer than 16777216 characters in /);
  });

  test('takes time by its length, whatever the pattern', { timeout: 20_000 }, () => {
    const env = { L: 'a'.repeat(60_000) };
    expect(expandWord('${L//a*b/x}', env)).toEqual({ ok: true, value: env.L });
    expect(expandWord('${L##*a*a*a*a*b}', env)).toEqual({ ok: true, value: env.L });
    expect(expandWord('${L//*a*a/x}', env)).toEqual({ ok: true, value: 'x' });
  });
});
