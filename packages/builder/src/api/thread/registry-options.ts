import type { RegistryOptions } from '@caisson/registry';
import type { WireRegistry } from './protocol.ts';
import type { Questions } from './questions.ts';

/** How registries are reached: the caller has the credentials. */
export function registryOptions(
  { mirrors, asksForCredentials }: WireRegistry,
  questions: Questions,
): RegistryOptions {
  return {
    ...(mirrors === undefined ? {} : { mirrors }),
    ...(asksForCredentials ? { credentials: (host: string) => questions.credentials(host) } : {}),
  };
}
