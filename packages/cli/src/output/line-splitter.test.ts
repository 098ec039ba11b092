import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineSplitter, printableLine } from './line-splitter.ts';

function linesOf(...chunks: readonly (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

describe('lines of what a step writes', () => {
  test.each([
    ['colours and the cursor', '\u001b[31mred\u001b[0m \u001b[2Aup', ['red up']],
    ['a title of the window', 'a\u001b]0;title\u0007b', ['ab']],
    ['a link', '\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\', ['text']],
    ['controls of eight bits', 'a\u009b31mb\u0090c', ['abc']],
    ['a bell, a backspace, a form feed', 'a\u0007b\u0008c\u000cd', ['abcd']],
    ['what turns the direction', 'a\u202eb\u2066c', ['abc']],
    ['tabs, which stay', 'a\tb', ['a\tb']],
    ['the last of a progress bar', '10%\r20%\r30%\n', ['30%']],
    ['ends of lines as on Windows', 'a\r\nb\r\n', ['a', 'b']],
    ['a last line without an end', 'a\nb', ['a', 'b']],
    ['empty lines', 'a\n\nb\n', ['a', '', 'b']],
    ['bytes that are no text', new Uint8Array([0x61, 0xff, 0x62, 0x0a]), ['a\ufffdb']],
  ])('%s', (_what, written, lines) => {
    expect(linesOf(written)).toEqual(lines);
  });

  test('a sequence that is cut in two is one', () => {
    expect(linesOf('a\u001b[3', '1mb\n')).toEqual(['ab']);
    const smile = Buffer.from('😀\n');
    expect(linesOf(smile.subarray(0, 2), smile.subarray(2))).toEqual(['😀']);
  });

  test('a line that ends in several carriage returns is one, wherever it is cut', () => {
    for (const at of [1, 2, 3]) expect(linesOf('a\r\r\n'.slice(0, at), 'a\r\r\n'.slice(at))).toEqual(['a']);
  });

  test('a line without an end comes in pieces, and no character is cut', () => {
    const lines = linesOf(...Array.from({ length: 100 }, () => 'é'.repeat(1001)));
    expect(lines.join('')).toBe('é'.repeat(100_100));
    expect(lines.length).toBe(4);
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(64 << 10);
  });

  test('a progress bar without an end is not gathered', () => {
    let lines = 0;
    const splitter = new LineSplitter(() => lines++);
    for (let done = 0; done < 10_000; done++) splitter.push(Buffer.from(`\r${done} of ${'x'.repeat(100)}`));
    expect(splitter.unfinished).toBe(`9999 of ${'x'.repeat(100)}`);
    expect(lines).toBe(0);
  });

  test('however it is cut, the lines are the same, and nothing in them can be obeyed', () => {
    const part = fc.oneof(
      fc.constantFrom('\n', '\r', '\u001b[1m', '\u001b]0;', '\u0007', 'é', '😀', 'a'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(fc.nat(50)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''));
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const size of cuts) {
          chunks.push(bytes.subarray(at, at + size));
          at = Math.min(bytes.length, at + size);
        }
        chunks.push(bytes.subarray(at));
        const lines = linesOf(...chunks);
        expect(lines).toEqual(linesOf(bytes));
        for (const line of lines) expect(line).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
      }),
    );
  });

  test('a text as one line shows its ends of lines', () => {
    expect(printableLine('a\nerror: \u001b[31mb')).toBe('a\\nerror: b');
  });
});
