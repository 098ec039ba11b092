import { errorAt, type Diagnostic } from './diagnostic.ts';
import type { ExpandFailure } from './expand.ts';
import type { Range } from './source-text.ts';

/** What to tell of a word that cannot be expanded. */
export function expansionError(range: Range, { message, expected }: ExpandFailure): Diagnostic {
  return errorAt(range, 'invalid-expansion', message, expected === undefined ? {} : { expected });
}
