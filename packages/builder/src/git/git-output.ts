import { withoutCredentials } from '../without-credentials.ts';
import { stripVTControlCharacters } from 'node:util';

const MOST_LINES = 8;

/** What git said, line by line: without what could steer a terminal, and without the words of URLs that are secret. */
export function printableLines(text: string): string[] {
  const lines = stripVTControlCharacters(text)
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '').trimEnd())
    .map(withoutCredentials)
    .filter((line) => line.trim() !== '');
  return lines.slice(-MOST_LINES);
}
