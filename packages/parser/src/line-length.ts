import { errorAt, type Diagnostic } from './diagnostic.ts';
import type { SourceText } from './source-text.ts';

/** The longest line that docker takes, in bytes: also of comments and heredocs. */
const MAX_LINE_BYTES = 65_535;

/** The lines that are longer than docker takes. */
export function findLongLines(source: SourceText): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (let number = 1; number <= source.lineCount; number++) {
    // A UTF-16 code unit takes three bytes at most.
    if (source.lineStart(number + 1) - source.lineStart(number) <= MAX_LINE_BYTES / 3) continue;
    if (Buffer.byteLength(source.line(number), 'utf8') <= MAX_LINE_BYTES) continue;
    diagnostics.push(
      errorAt(
        source.lineRange(number),
        'line-too-long',
        `the line is longer than the ${MAX_LINE_BYTES} bytes allowed`,
        { hint: 'break it with continuations, or COPY a file' },
      ),
    );
  }
  return diagnostics;
}
