import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegistryError } from '../errors.ts';

/** What is configured for TLS with one host. All are PEM. */
export interface HostCertificates {
  /** Authorities that are trusted for this host besides the usual ones. */
  readonly authorities: readonly string[];
  /** What this client shows of itself. */
  readonly client?: { readonly certificate: string; readonly key: string };
}

/**
 * Reads what is configured for a host, as docker and podman keep it: in `FOLDER/HOST[:PORT]/`, `*.crt` are
 * authorities, and `NAME.cert` with `NAME.key` is the client's pair.
 * @param folders `certs.d` folders, the most important first; the first that has the host counts
 * @throws RegistryError `config`
 */
export function readHostCertificates(host: string, folders: readonly string[]): HostCertificates | undefined {
  for (const folder of folders) {
    const place = join(folder, host);
    const names = namesIn(place);
    if (names === undefined) continue;
    const authorities = names.filter((name) => name.endsWith('.crt')).map((name) => read(join(place, name)));
    const pair = names.find((name) => name.endsWith('.cert'));
    if (pair === undefined) return { authorities };
    const key = pair.replace(/\.cert$/, '.key');
    if (!names.includes(key)) {
      throw new RegistryError(
        'config',
        `the client certificate ${join(place, pair)} has no key ${key} beside it`,
      );
    }
    return { authorities, client: { certificate: read(join(place, pair)), key: read(join(place, key)) } };
  }
  return undefined;
}

function namesIn(folder: string): string[] | undefined {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return undefined;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new RegistryError('config', `cannot read the certificate ${path}`, { cause: error });
  }
}
