import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeProgram, runProgram } from '../program.ts';
import { complete } from './complete.ts';
import { placeholderOf, sourceOf } from './values.ts';
import type { Command } from 'commander';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch AS base\nFROM base AS test\nFROM base\n');
  writeFileSync(join(folder, 'other'), 'FROM scratch AS other\nRUN (\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

function terminal(write: (text: string) => void = () => {}) {
  return {
    env: { CAISSON_ROOT: join(folder, 'no-store') },
    cwd: folder,
    out: write,
    error: write,
    drained: () => Promise.resolve(),
    hasColor: false,
    isInteractive: false,
    screen: undefined,
  };
}

const program = makeProgram({ terminal: terminal(), finish: () => {} });

async function offered(line: string): Promise<string> {
  const { files, candidates } = await complete(program, line.split(' '), terminal());
  return [files === 'none' ? [] : [files], candidates.map(({ value }) => value)].flat().join(' ');
}

describe('what may stand where the cursor is', () => {
  test.each([
    ['bu', 'build builds'],
    ['help bui', 'build builds'],
    ['help build ', ''],
    ['store ', 'verify help'],
    ['build --targ', '--target'],
    ['build --target ', 'base test'],
    ['build --target=t', '--target=test'],
    ['build -f other --target ', 'other'],
    ['build --target  ..', 'files'],
    ['build --no-cache-filter base,t', 'base,test'],
    ['build -t app --target te', 'test'],
    ['build -tapp --target te', 'test'],
    ['build -qf other --target ', 'other'],
    ['build --progress p', 'plain'],
    ['build --pull=m', '--pull=missing'],
    ['build --pull ', 'files'],
    ['build --tag app --ta', '--tag --target'],
    ['build --target test --ta', '--tag'],
    ['build --build-arg ', ''],
    ['build . ', ''],
    ['build -- --targ', 'files'],
    ['run app --', ''],
    ['run --network h', 'host'],
    ['completion ', 'bash zsh fish'],
    ['images --root ', 'folders'],
    ['--root ', 'folders'],
    ['rmi ', ''],
    ['bild --targ', ''],
    ['__', ''],
  ])('caisson %s', async (line, words) => {
    expect(await offered(line)).toBe(words);
  });
});

function commandsBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsBelow)];
}

const options = commandsBelow(program).flatMap((command) =>
  command.options.map((option) => ({ command, option })),
);
const withChoices = options.filter(({ option }) => option.argChoices !== undefined);

test.each(
  withChoices.map(({ command, option }) => [`${command.name()} ${option.long}`, command, option] as const),
)(
  'what is offered for %s is what it takes, and its help names all of it',
  async (_title, command, { long, argChoices = [], description }) => {
    const path = command.name() === 'verify' ? ['store', 'verify'] : [command.name()];
    const needed = command.registeredArguments.filter(({ required }) => required).map(() => 'x');
    let said = '';
    const write = (text: string): void => {
      said += text;
    };
    await runProgram([...path, `${long}=zzz`, ...needed], terminal(write));
    expect(said).toContain(`"zzz" is not known\n  expected: ${argChoices.join(', ')}\n`);
    for (const choice of argChoices) expect(description).toContain(choice);
  },
);

/** Placeholders of which nobody but the user knows what may stand for them. */
const FREE = [
  '',
  'agent',
  'command',
  'duration',
  'filter',
  'flags',
  'name:address',
  'name=soft[:hard]',
  'name=value',
  'number',
  'platform',
  'program',
  'registry=url',
  'seconds',
  'size',
  'user[:group]',
  'workdir',
];

test('of each placeholder it is known what may stand for it', () => {
  const unknown = options
    .filter(({ option }) => option.argChoices === undefined)
    .map(({ option }) => placeholderOf(option.flags))
    .filter((placeholder) => sourceOf(placeholder) === undefined);
  expect([...new Set(unknown)].toSorted()).toEqual(FREE);
});
