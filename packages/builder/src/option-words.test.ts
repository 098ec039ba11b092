import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callOptionsAsInNode, optionWords } from './option-words.ts';

function said(): string[] {
  const words = optionWords();
  return [words.secret('npm'), words.agent('a-b'), words.noCacheFilter('test'), words.pullNever];
}

test('options are called as flags, or as in Node once somebody says so', () => {
  expect(said()).toEqual([
    '--secret id=npm,src=FILE or --secret id=npm,env=NAME',
    '--ssh a-b, --ssh a-b=SOCKET or --ssh a-b=KEY',
    '--no-cache-filter test',
    '--pull=never',
  ]);
  callOptionsAsInNode();
  expect(said()).toEqual([
    'secrets: { npm: VALUE }',
    "ssh: { 'a-b': SOCKET } or ssh: { 'a-b': [KEY] }",
    "noCacheFilter: ['test']",
    "pull: 'never'",
  ]);
});

/** Flags of the command that instructions do not have. */
const FLAG =
  /--(?:secret|ssh|no-cache|no-cache-filter|pull|allow|add-host|build-arg|build-context|cache-from|cache-to|cache-max-size|context-modes|label|load|output|push|tag|target)\b(?! id=\$)/;

test('no other message of the builder speaks of flags', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'option-words.ts',
  );
  const speaking = files.flatMap((name) =>
    readFileSync(join(import.meta.dirname, name), 'utf8')
      .split('\n')
      .filter((line) => FLAG.test(line) && !/^\s*(?:\*|\/\*|\/\/)/.test(line))
      .map((line) => `${name}: ${line.trim()}`),
  );
  expect(files.length).toBeGreaterThan(100);
  expect(speaking).toEqual([]);
});
