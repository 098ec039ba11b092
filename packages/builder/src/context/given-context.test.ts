import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { BuildError } from '../failure.ts';
import { writeGivenContext, type ContextPiece } from './given-context.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

async function written(...pieces: readonly ContextPiece[]): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), 'given-'));
  made.push(parent);
  const folder = join(parent, 'context');
  await writeGivenContext(one(pieces), folder, new AbortController().signal);
  expect(readdirSync(parent)).toStrictEqual(['context']);
  return folder;
}

async function* one(pieces: readonly ContextPiece[]): AsyncGenerator<ContextPiece> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

function file(path: string, text = '', mode = 0o644): ContextPiece {
  return { kind: 'file', path, mode, mtime: undefined, bytes: Buffer.from(text) };
}

function modeOf(...path: readonly string[]): string {
  return (lstatSync(join(...path)).mode & 0o7777).toString(8);
}

describe('a given context', () => {
  test('becomes files, folders and links, with the modes that were given whatever the umask', async () => {
    const mtime = 1_234_567_890_123;
    const folder = await written(
      { kind: 'file', path: './src//run', mode: 0o777, mtime, bytes: Buffer.from('#!') },
      { kind: 'more', bytes: Buffer.from('/bin/sh') },
      { kind: 'folder', path: 'src', mode: 0o2775, mtime },
      { kind: 'folder', path: 'empty/', mode: 0o700, mtime: undefined },
      { kind: 'symlink', path: 'src/link', target: '../../outside', mtime },
      file('a/b/c', 'c'),
    );
    expect(readFileSync(join(folder, 'src/run'), 'utf8')).toBe('#!/bin/sh');
    expect(readlinkSync(join(folder, 'src/link'))).toBe('../../outside');
    const modes = ['', 'src', 'src/run', 'empty', 'a', 'a/b', 'a/b/c'].map((path) => modeOf(folder, path));
    expect(modes).toStrictEqual(['755', '2775', '777', '700', '755', '755', '644']);
    const times = ['src', 'src/run', 'src/link'].map((path) => lstatSync(join(folder, path)).mtimeMs);
    expect(times).toStrictEqual([mtime, mtime, mtime]);
  });

  const link: ContextPiece = { kind: 'symlink', path: 'link', target: '/', mtime: undefined };
  const refused: readonly (readonly [why: string, pieces: readonly ContextPiece[], path: string])[] = [
    ['leaves the context', [file('../x')], '../x'],
    ['leaves the context', [file('a/../../x')], 'a/../../x'],
    ['is absolute', [file('/etc/passwd')], '/etc/passwd'],
    ['holds a NUL', [file('a\0b')], 'a\0b'],
    ['names the context itself', [file('.')], '.'],
    ['has a name that is too long', [file('x'.repeat(256))], 'x'.repeat(256)],
    ['lies in link, which is no folder', [link, file('link/x')], 'link/x'],
    ['lies in a, which is no folder', [file('a'), file('a/b')], 'a/b'],
    ['is given twice', [file('a'), file('./a')], './a'],
    ['is given twice', [link, file('link')], 'link'],
    ['is a folder already', [file('a/b'), file('a')], 'a'],
  ];
  test.each(refused)('refuses a path that %s', async (why, pieces, path) => {
    const error = await written(...pieces).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BuildError);
    expect(error instanceof BuildError && error.failures).toStrictEqual([
      {
        code: 'invalid-request',
        message: `the build context: the path ${JSON.stringify(path)} ${why}`,
        expected: 'a path below the context, for example src/app.ts',
      },
    ]);
  });
});
