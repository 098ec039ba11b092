import { describe, expect, test } from 'vitest';
import type { Instruction } from './ast.ts';
import { heredocText } from './heredoc.ts';
import { parseDockerfile } from './parse.ts';

/** The instructions of a text that has no errors. */
function instructions(text: string): Instruction[] {
  const { dockerfile, diagnostics } = parseDockerfile(text);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return dockerfile.stages.flatMap((stage) => [stage.from, ...stage.instructions]);
}

/** What is wrong with a text. */
function problems(text: string): string[] {
  return parseDockerfile(text).diagnostics.map(({ message }) => message);
}

function runs(text: string): unknown[] {
  return instructions(text).flatMap((each) => (each.kind === 'run' ? [each.command] : []));
}

describe('commands', () => {
  test.each([
    ['RUN echo a  b', { form: 'shell', text: 'echo a  b' }],
    ['run ["a", "b c"]', { form: 'exec', args: ['a', 'b c'] }],
    ["RUN ['a', 'b']", { form: 'shell', text: "['a', 'b']" }],
    ['RUN [ "$HOME" ]', { form: 'exec', args: ['$HOME'] }],
    ['RUN echo \\\n  a', { form: 'shell', text: 'echo   a' }],
    ['RUN echo \\\n# a comment\n\n  a', { form: 'shell', text: 'echo   a' }],
    ['RUN echo a # no comment', { form: 'shell', text: 'echo a # no comment' }],
  ])('%s', (line, command) => {
    expect(runs(`FROM scratch\n${line}\n`)).toEqual([command]);
  });
});

/*
 * Where dockerfile-ast reads otherwise than BuildKit: docs/decisions/0001. Each is a case of its own, so that an update
 * of the library shows what changed.
 */
describe('what dockerfile-ast misreads', () => {
  test('two backslashes at the end of a line are one, and no continuation', () => {
    expect(instructions('FROM scratch\nRUN echo a\\\\\nRUN echo b\n')).toHaveLength(3);
  });

  test('a heredoc may have a descriptor', () => {
    const [, run] = instructions('FROM scratch\nRUN cat 3<<EOF <&3\nFROM nothing\nEOF\n');
    expect(run).toMatchObject({ kind: 'run', heredocs: [{ name: 'EOF' }] });
  });

  test('<< that opens no heredoc swallows nothing', () => {
    expect(instructions('FROM scratch\nRUN echo $((1<<3))\nRUN echo "<<EOF"\nENV a=b\n')).toHaveLength(4);
  });

  test('quotes group no words of COPY, but those of ENV', () => {
    const [, copy, env] = instructions('FROM scratch\nCOPY "with blank" /x\nENV a="b c" d=e\n');
    expect(copy?.kind === 'copy' && copy.sources).toHaveLength(2);
    expect(env?.kind === 'env' && env.pairs.map(({ key }) => key.text)).toEqual(['a', 'd']);
  });

  test('comments between continued lines belong to no argument', () => {
    const [, env] = instructions('FROM scratch\nENV a=1 \\\n# b=2\n  c=3\n');
    expect(env?.kind === 'env' && env.pairs.map(({ key }) => key.text)).toEqual(['a', 'c']);
  });

  test('a byte order mark is no column', () => {
    const { dockerfile } = parseDockerfile('\uFEFFFROM scratch\n');
    expect(dockerfile.stages[0]?.from.image.text).toBe('scratch');
  });
});

describe('heredocs', () => {
  test.each([
    ['<<EOF', 'a\n\tb\n', 'a\n\tb\n'],
    ['<<-EOF', '\ta\n\t\tb\n', 'a\nb\n'],
    ['<<"EOF"', '$A\n', '$A\n'],
  ])('%s', (opening, body, expected) => {
    const [, run] = instructions(`FROM scratch\nRUN ${opening}\n${body}EOF\n`);
    expect(run?.kind === 'run' && run.heredocs.map(heredocText)).toEqual([expected]);
  });

  test('several in one instruction, and none closed', () => {
    const [, copy] = instructions('FROM scratch\nCOPY <<A <<B /x/\n1\nA\n2\nB\n');
    expect(copy).toMatchObject({ sources: [{ kind: 'heredoc' }, { kind: 'heredoc' }] });
    expect(problems('FROM scratch\nRUN <<EOF\necho\n')).toEqual([expect.stringContaining('EOF')]);
  });
});

describe('directives', () => {
  test('escape', () => {
    expect(runs('# escape=`\nFROM scratch\nRUN a `\n b\\\n')).toEqual([{ form: 'shell', text: 'a  b\\' }]);
  });

  test('the built-in syntax is accepted, another one is an error that names it', () => {
    expect(problems('# syntax=docker/dockerfile:1\nFROM scratch\n')).toEqual([]);
    expect(problems('# syntax=example.com/other:1\nFROM scratch\n')).toEqual([
      expect.stringContaining('example.com/other:1'),
    ]);
  });
});

describe('errors', () => {
  test('all of them are reported, in order', () => {
    expect(
      problems('FORM scratch\nRUN\nFROM a b c\nEXPOSE\nHEALTHCHECK maybe\n').length,
    ).toBeGreaterThanOrEqual(4);
  });

  test.each([
    ['', 'the file has no instructions'],
    ['RUN true\n', 'FROM'],
    ['FROM a AS 1x\n', '1x'],
    ['FROM a\nONBUILD FROM b\n', 'FROM'],
    ['FROM a\nONBUILD ONBUILD RUN x\n', 'ONBUILD'],
    ['FROM a\nHEALTHCHECK --interval=1 CMD x\n', '1'],
    ['FROM a\nLABEL x\n', 'LABEL'],
    ['FROM a\nSHELL sh\n', 'SHELL'],
    ['FROM a\nRUN ["a", 1]\n', 'only strings may be in the list of an exec form'],
  ])('%j', (text, part) => {
    expect(problems(text).join('\n')).toContain(part);
  });
});
