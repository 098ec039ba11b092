import { readFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';

/** How many pages the kernel takes for one argument or variable: MAX_ARG_STRLEN. */
const MAX_PAGES = 32;

/** Of the smallest pages that there are, in bytes. */
const SMALLEST_PAGE = 4096;

/**
 * Makes sure that a program can be given its arguments and variables: the kernel takes none that is longer than 128 KiB,
 * where pages are small, and says E2BIG without a word about which.
 * @throws RuntimeError `unsupported`
 */
export function checkArguments(
  args: readonly string[],
  env: readonly string[],
  smaps = '/proc/self/smaps',
): void {
  if (![...args, ...env].some((text) => lengthOf(text) > MAX_PAGES * SMALLEST_PAGE)) return;
  const most = MAX_PAGES * pageSize(smaps);
  const index = args.findIndex((text) => lengthOf(text) > most);
  const variable = env.find((text) => lengthOf(text) > most);
  if (index !== -1) {
    const what = `argument ${index} of ${args[0] ?? ''}`;
    throw tooLong(what, lengthOf(args[index] ?? ''), most, 'a script in a file has no such limit');
  }
  if (variable !== undefined) {
    const what = `the variable ${variable.slice(0, variable.indexOf('='))}`;
    throw tooLong(what, lengthOf(variable), most, 'a file, as a secret has with target=, has no such limit');
  }
}

function tooLong(what: string, length: number, most: number, instead: string): RuntimeError {
  return new RuntimeError('unsupported', `${what} is too long to start a program with: ${length} bytes`, {
    hint: `the kernel takes ${most} of one argument or variable; ${instead}`,
  });
}

/** In bytes, with the zero that ends it, which the kernel counts. */
function lengthOf(text: string): number {
  return Buffer.byteLength(text) + 1;
}

function pageSize(smaps: string): number {
  const [, kib = '4'] = /^KernelPageSize:\s*(\d+) kB$/m.exec(readFileSync(smaps, 'utf8')) ?? [];
  return Number(kib) * 1024;
}
