import { expect, test } from 'vitest';
import { ToldWarnings } from './told-warnings.ts';

const lint = { rule: 'StageNameCasing', message: "Stage name 'Build' should be lowercase" } as const;
const other = { rule: 'UndefinedVar', message: 'Usage of undefined variable' } as const;

test('what the build before said is known, until one does not say it', () => {
  const told = new ToldWarnings();
  expect(told.isKnown(lint)).toBe(false);
  told.end(true);
  expect([lint, other].map((each) => told.isKnown(each))).toEqual([true, false]);
  told.end(true);
  expect(told.isKnown(other)).toBe(true);
  told.end(true); // it was mended
  expect(told.isKnown(lint)).toBe(false);
});

test('a build that came to nothing does not say all: what was known stays known', () => {
  const told = new ToldWarnings();
  told.isKnown(lint);
  told.end(true);
  told.end(false);
  expect(told.isKnown(lint)).toBe(true);
});

test('a warning of no rule is told each time', () => {
  const told = new ToldWarnings();
  const warning = { message: 'the cache cannot be read' };
  expect(told.isKnown(warning)).toBe(false);
  told.end(true);
  expect(told.isKnown(warning)).toBe(false);
});
