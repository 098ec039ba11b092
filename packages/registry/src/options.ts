import type { CredentialProvider } from './auth/credentials.ts';
import type { Environment } from './transport/proxy.ts';
import type { Timing } from './transport/timing.ts';

/** How registries are found and reached. */
export interface RegistryOptions {
  /** Mirrors to ask first, by registry: `docker.io` -> `http://127.0.0.1:5000`. They come before those that are configured. */
  readonly mirrors?: ReadonlyMap<string, readonly string[]>;
  /** Where settings come from: DOCKER_CONFIG, HOME, XDG folders, proxies. */
  readonly env?: Environment;
  /** Asked for credentials first; where it has none for a host, docker's configuration is. */
  readonly credentials?: CredentialProvider;
  /** What this client calls itself. */
  readonly userAgent?: string;
  /** How long to wait for what, where it is not the usual time. */
  readonly timing?: Partial<Timing>;
  /** Told, in one sentence, what did not work out but could be got round. */
  readonly onWarning?: (message: string) => void;
}
