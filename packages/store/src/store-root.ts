import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { inUserNamespace } from '@caisson/sys';

/** What says where a store lies. */
export interface Whereabouts {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From where a relative path is seen. */
  readonly cwd: string;
}

/** The folder of the store: the one that is given, CAISSON_ROOT, else where programs of this user keep their data. */
export function storeRoot({ env, cwd }: Whereabouts, given: string | undefined): string {
  const named = given ?? env['CAISSON_ROOT'];
  if (named !== undefined && named !== '') return resolve(cwd, named);
  if (process.getuid?.() === 0 && isRootOfSystem()) return '/var/lib/caisson';
  const data = env['XDG_DATA_HOME'];
  return join(data?.startsWith('/') === true ? data : join(homedir(), '.local', 'share'), 'caisson');
}

/** Root of a user namespace is some user of this system, unless the system too was made for that namespace: a container. */
function isRootOfSystem(): boolean {
  return !inUserNamespace() || statSync('/').uid === 0;
}
