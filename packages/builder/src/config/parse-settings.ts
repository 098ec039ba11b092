import { parse, TomlError } from 'smol-toml';
import * as z from 'zod/mini';
import { SourceText, suggest } from '@caisson/parser';
import { buildError } from '../failure.ts';
import type { Place } from '../plan/planned.ts';

const schema = z.strictObject({ 'cache-max-size': z.optional(z.string()) });

/** What a config file may say. */
export type Settings = z.infer<typeof schema>;

const KEYS = Object.keys(schema.shape);

/**
 * Reads the text of a config file.
 * @param path for messages
 * @throws BuildError `invalid-request` with the place of what is wrong
 */
export function parseSettings(path: string, text: string): Settings {
  const source = new SourceText(text);
  const document = tomlOf(path, source);
  const unknown = Object.keys(document).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    const suggestion = suggest(unknown, KEYS);
    throw buildError('invalid-request', `${JSON.stringify(unknown)} is no setting`, {
      place: placeOf(path, source, unknown),
      expected: KEYS.join(', '),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const key = String(parsed.error.issues[0]?.path[0]);
  throw buildError('invalid-request', `the value of ${key} is no text`, {
    place: placeOf(path, source, key),
    expected: `${key} = "..."`,
  });
}

function tomlOf(path: string, source: SourceText): Record<string, unknown> {
  try {
    return parse(source.text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = /^Invalid TOML document: (.*)/.exec(error.message)?.[1] ?? error.message;
    const at = source.lineStart(error.line) + error.column - 1;
    throw buildError('invalid-request', `this is no TOML: ${reason}`, {
      place: { path, source, range: source.range(at, at + 1) },
    });
  }
}

/** Where a key of the document stands; its first line, where it is written in another way. */
function placeOf(path: string, source: SourceText, key: string): Place {
  for (let line = 1; line <= source.lineCount; line++) {
    const at = source.line(line).indexOf(key);
    if (at === -1 || !/^[\s["']*$/.test(source.line(line).slice(0, at))) continue;
    const start = source.lineStart(line) + at;
    return { path, source, range: source.range(start, start + key.length) };
  }
  return { path, source, range: source.lineRange(1) };
}
