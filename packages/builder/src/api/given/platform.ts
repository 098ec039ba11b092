import { nearestPlatform, nearestPlatformName, parsePlatform, type Platform } from '@caisson/oci';
import { suggest } from '@caisson/parser';
import { optionError } from '../error.ts';
import { PLATFORM } from '../option-schemas.ts';
import { defined } from './defined.ts';

/** @throws CaissonError for one that nobody has heard of and that is like another: it is most likely misspelt */
export function givenPlatform(text: string, option = 'options.platform'): Platform {
  const parsed = parsePlatform(text);
  const suggestion = parsed.ok ? nearestPlatform(parsed.value, suggest) : nearestPlatformName(text, suggest);
  if (parsed.ok && suggestion === undefined) return parsed.value;
  throw optionError(`${option} is ${JSON.stringify(text)}`, {
    expected: PLATFORM,
    ...defined({ suggestion }),
  });
}

/** The same, as it was given. @throws CaissonError */
export function platformName(text: string, option?: string): string {
  givenPlatform(text, option);
  return text;
}
