import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inUserNamespace } from '@caisson/sys';

/** What ssh takes from a user where nothing else is said, in its order. */
const KEYS = ['id_rsa', 'id_ecdsa', 'id_ed25519'];

/**
 * How git calls ssh: nobody is asked, and a host that is not known is refused. ssh looks for its files in the home that
 * /etc/passwd gives its user, which for root of a user namespace is that of somebody else: it is told where they are.
 * @returns a command line of a shell
 */
export function sshCommand(home: string | undefined, isNamespace = inUserNamespace()): string {
  const options = ['-o BatchMode=yes'];
  const folder = home === undefined || !isNamespace ? undefined : join(home, '.ssh');
  // Neither a shell nor ssh would take such a path as it is.
  if (folder === undefined || /['"\\%$]/.test(folder)) return `ssh ${options.join(' ')}`;
  const config = join(folder, 'config');
  if (existsSync(config)) options.push(`-F '${config}'`);
  options.push(`-o 'UserKnownHostsFile "${folder}/known_hosts" "${folder}/known_hosts2"'`);
  for (const key of KEYS.map((name) => join(folder, name)))
    if (existsSync(key)) options.push(`-o 'IdentityFile "${key}"'`);
  return `ssh ${options.join(' ')}`;
}
