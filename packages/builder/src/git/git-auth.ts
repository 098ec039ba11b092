import { basic, secretText, type ReadSecret } from '../copy/http-credentials.ts';
import type { GitHeader } from './git-program.ts';
import type { GitReference } from './git-reference.ts';

/**
 * The header that a server of http is asked with: from the secrets of the build, those for its host first; else the user
 * name and password of the URL.
 * @see https://docs.docker.com/build/building/secrets/#git-authentication-for-remote-contexts
 */
export async function gitHeader(
  { remote, credentials }: GitReference,
  secret: ReadSecret,
): Promise<GitHeader | undefined> {
  const url = /^https?:/.test(remote) ? URL.parse(remote) : null;
  if (url === null) return undefined;
  const value =
    (await secretHeader(url, secret)) ??
    (credentials === undefined
      ? undefined
      : basic(credentials.includes(':') ? credentials : `${credentials}:`));
  return value === undefined ? undefined : { origin: url.origin, header: `Authorization: ${value}` };
}

async function secretHeader({ host, hostname }: URL, secret: ReadSecret): Promise<string | undefined> {
  for (const suffix of new Set([`.${host}`, `.${hostname}`, ''])) {
    const header = await secretText(secret, `GIT_AUTH_HEADER${suffix}`);
    if (header !== undefined) return header;
    const token = await secretText(secret, `GIT_AUTH_TOKEN${suffix}`);
    if (token !== undefined) return basic(`x-access-token:${token}`);
  }
  return undefined;
}
