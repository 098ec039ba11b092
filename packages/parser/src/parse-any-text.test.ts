import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Instruction } from './ast.ts';
import { formatInstruction } from './format-instruction.ts';
import { parseDockerfile } from './parse.ts';
import type { Range } from './source-text.ts';
import { describeInstruction } from './testing/describe-file.ts';
import { dockerfileText } from './testing/dockerfile-text.ts';

/** `npm run fuzz` sets it higher. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2000);

function instructionsOf(text: string): Instruction[] {
  const { globalArgs, stages } = parseDockerfile(text).dockerfile;
  return [...globalArgs, ...stages.flatMap((stage) => [stage.from, ...stage.instructions])];
}

describe('any text', { timeout: numRuns * 60 }, () => {
  test('is parsed without a throw; every range lies in it, and instructions follow one another', () => {
    fc.assert(
      fc.property(dockerfileText, (text) => {
        const { diagnostics } = parseDockerfile(text);
        const instructions = instructionsOf(text);
        const ranges: Range[] = [...diagnostics, ...instructions].map(({ range }) => range);
        for (const { start, end } of ranges) {
          expect(start.offset).toBeGreaterThanOrEqual(0);
          expect(end.offset).toBeGreaterThanOrEqual(start.offset);
          expect(end.offset).toBeLessThanOrEqual(text.length);
          const before = text.slice(0, start.offset);
          expect(start.line).toBe(before.split('\n').length);
          expect(start.column).toBe(start.offset - (before.lastIndexOf('\n') + 1) + 1);
        }
        const inOrder = instructions.toSorted((a, b) => a.range.start.offset - b.range.start.offset);
        for (const [index, { range }] of inOrder.entries())
          expect(inOrder[index - 1]?.range.end.offset ?? 0).toBeLessThanOrEqual(range.start.offset);
      }),
      { numRuns },
    );
  });

  test('whose instructions are printed and parsed again gives the same instructions', () => {
    fc.assert(
      fc.property(dockerfileText, (text) => {
        const { dockerfile, diagnostics } = parseDockerfile(text);
        fc.pre(diagnostics.every(({ severity }) => severity !== 'error'));
        for (const instruction of instructionsOf(text)) {
          const head = `${dockerfile.escape === '`' ? '# escape=`\n' : ''}FROM scratch\n`;
          const printed = `${head}${formatInstruction(instruction, dockerfile.escape)}\n`;
          expect(instructionsOf(printed).slice(1).map(withoutLines)).toEqual([withoutLines(instruction)]);
        }
      }),
      { numRuns },
    );
  });
});

function withoutLines(instruction: Instruction): string {
  return describeInstruction(instruction).replace(/^[\d-]+ /, '');
}

describe('a large text', { timeout: 60_000 }, () => {
  // Whatever takes time by the square of the length takes hours here.
  test.each([
    [
      'instructions',
      `FROM scratch\n${`RUN ${'echo "a line of some length" && '.repeat(8)}true \\\n  && false\n`.repeat(18_000)}`,
    ],
    ['continuations', `FROM scratch\nLABEL ${'a=b \\\n'.repeat(400_000)}c=d\n`],
    ['blanks', `FROM scratch\nLABEL a=${' \\\n\t'.repeat(500_000)}b${' '.repeat(2_000_000)}c\n`],
    ['carriage returns', `FROM scratch\nLABEL a=b${'\r'.repeat(4_000_000)}c\n`],
    ['a heredoc', `FROM scratch\nCOPY <<EOF /x\n${'text $x\n'.repeat(600_000)}EOF\n`],
    ['openings of heredocs', `FROM scratch\nRUN ${'<<A '.repeat(20_000)}\n`],
    ['what is no instruction', 'oops \\\n\n# x\n'.repeat(100_000)],
  ])('of %s takes seconds, not hours', (_name, text) => {
    expect(parseDockerfile(text).dockerfile.source.text).toBe(text);
  });
});
