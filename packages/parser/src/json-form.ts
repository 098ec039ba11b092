import { err, ok, type Result } from './result.ts';

/** What is wrong with an exec form. */
export interface JsonProblem {
  readonly message: string;
  /** The list with everything in it as a string. */
  readonly suggestion?: string;
}

/**
 * The strings of an exec form, `["a", "b"]`; undefined where the text is none. As docker has it, anything that is not
 * valid JSON is taken for the shell form, without a word; a valid list that holds something else than strings is an
 * error.
 * @see https://docs.docker.com/reference/dockerfile/#shell-and-exec-form
 */
export function parseJsonForm(text: string): Result<string[] | undefined, JsonProblem> {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[')) return ok(undefined);
  let value: unknown;
  try {
    value = JSON.parse(trimmed);
  } catch {
    return ok(undefined);
  }
  if (!Array.isArray(value)) return ok(undefined);
  const items: readonly unknown[] = value;
  // A number that is too large for Go is no JSON there.
  if (items.some((item) => typeof item === 'number' && !Number.isFinite(item))) return ok(undefined);
  const strings = items.filter((item) => typeof item === 'string');
  if (strings.length !== items.length) {
    const message = 'only strings may be in the list of an exec form';
    if (items.some((item) => typeof item === 'object')) return err({ message });
    return err({ message, suggestion: JSON.stringify(items.map(String)) });
  }
  return ok(strings);
}
