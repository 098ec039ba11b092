import { isAbsolute, join, resolve } from 'node:path';
import { homedir } from 'node:os';
import type { Terminal } from './terminal.ts';

/** The folder of the store: the flag, CAISSON_ROOT, else where programs of this user keep their data. */
export function storeRoot(terminal: Terminal, flag: string | undefined): string {
  const { env } = terminal;
  const given = flag ?? env['CAISSON_ROOT'];
  if (given !== undefined && given !== '')
    return isAbsolute(given) ? resolve(given) : resolve(terminal.cwd, given);
  if (process.getuid?.() === 0) return '/var/lib/caisson';
  const data = env['XDG_DATA_HOME'];
  return join(
    data !== undefined && data.startsWith('/') ? data : join(homedir(), '.local', 'share'),
    'caisson',
  );
}
