/** How registries are found and reached. */
export interface RegistryOptions {
  /** Mirrors to ask first, by registry: `docker.io` -> `http://127.0.0.1:5000`. They come before those that are configured. */
  readonly mirrors?: ReadonlyMap<string, readonly string[]>;
  /** Where settings come from: DOCKER_CONFIG, HOME, XDG folders, proxies. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}
