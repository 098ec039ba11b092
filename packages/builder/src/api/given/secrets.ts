import { resolve } from 'node:path';
import type { Secret } from '../build-options.ts';
import type { WireBuild } from '../thread/protocol.ts';

/** A function that gives a secret. */
type SecretFunction = Extract<Secret, () => unknown>;

/** Secrets as they travel, and those that are functions. Paths are seen from `cwd`. */
export function givenSecrets(
  given: Readonly<Record<string, Secret>>,
  cwd: string,
): { secrets: WireBuild['secrets']; functions: ReadonlyMap<string, SecretFunction> } {
  const functions = new Map<string, SecretFunction>();
  const secrets = Object.entries(given).map(([id, secret]): [string, WireBuild['secrets'][string]] => {
    if (typeof secret === 'string') return [id, { kind: 'value', value: secret }];
    if (secret instanceof Uint8Array) return [id, { kind: 'value', value: new Uint8Array(secret) }];
    if (typeof secret === 'object') return [id, { kind: 'file', path: resolve(cwd, secret.path) }];
    functions.set(id, secret);
    return [id, { kind: 'asked' }];
  });
  return { secrets: Object.fromEntries(secrets), functions };
}
