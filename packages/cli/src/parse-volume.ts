import { isAbsolute, posix, resolve } from 'node:path';
import type { BindMount } from '@caisson/runtime';
import { UsageError } from './usage-error.ts';

/**
 * `-v SOURCE:TARGET[:OPTIONS]`, as docker takes it. A source that is no path would be the name of a volume, which do
 * not exist here.
 * @throws UsageError
 */
export function parseVolume(text: string, cwd: string): BindMount {
  const [source = '', target = '', options = '', ...rest] = text.split(':');
  const shown = `--volume ${JSON.stringify(text)}`;
  const expected = 'SOURCE:TARGET[:ro]; SOURCE is a path that begins with / or ., TARGET is absolute';
  if (target === '' || rest.length > 0) throw new UsageError(`${shown} is no volume`, { expected });
  if (!isAbsolute(source) && !source.startsWith('.')) {
    throw new UsageError(`${shown} names a volume: only folders and files of the host can be shown`, {
      expected,
      ...(source === '' ? {} : { suggestion: `./${source}` }),
    });
  }
  if (!isAbsolute(target)) throw new UsageError(`${shown}: ${target} is not absolute`, { expected });
  const words = options === '' ? [] : options.split(',');
  const unknown = words.find((word) => !['ro', 'rw', 'z', 'Z'].includes(word));
  if (unknown !== undefined)
    throw new UsageError(`${shown}: ${unknown} is not known`, { expected: 'ro or rw' });
  const clean = posix.normalize(target);
  if (clean === '/') throw new UsageError(`${shown} would hide the image`, { expected });
  return { source: resolve(cwd, source), target: clean, isReadOnly: words.includes('ro') };
}
