import { printable } from './printable.ts';
import { dockerConfigCredentials, dockerConfigPath } from './auth/docker-config.ts';
import type { CredentialProvider } from './auth/credentials.ts';
import { readRegistriesConf, type RegistryRule } from './config/registries-conf.ts';
import { RegistryError } from './errors.ts';
import type { RegistryOptions } from './options.ts';
import { placesToRead, placeToWrite, type Named, type Place } from './sources.ts';
import { Connections } from './transport/connections.ts';
import { httpSender, type ResponseHeaders, type Send } from './transport/http.ts';
import type { Environment } from './transport/proxy.ts';
import { RegistryHost } from './transport/registry-host.ts';
import { DEFAULT_TIMING, type Timing } from './transport/timing.ts';

/** A repository as it can be talked to. */
export interface Repository {
  readonly host: RegistryHost;
  /** What it is called there. */
  readonly name: string;
  readonly isMirror: boolean;
}

/**
 * Talks to registries: keeps connections, tokens and what it learnt of each host. One serves a whole build. Disposing
 * of it closes its connections.
 */
export class RegistryClient implements AsyncDisposable {
  readonly timing: Timing;
  readonly #options: RegistryOptions;
  readonly #environment: Environment;
  readonly #connections: Connections;
  readonly #send: Send;
  readonly #credentials: CredentialProvider;
  readonly #hosts = new Map<string, RegistryHost>();
  readonly #silent = new Set<RegistryHost>();
  readonly #warned = new Set<string>();
  #rules: readonly RegistryRule[] | undefined;

  constructor(options: RegistryOptions = {}) {
    this.#options = options;
    this.#environment = options.env ?? process.env;
    this.timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#connections = new Connections(this.#environment, this.timing);
    this.#send = httpSender(this.#connections, this.timing, options.userAgent ?? 'caisson');
    const configured = dockerConfigCredentials(this.#environment, this.timing.helper);
    this.#credentials = async (host) => (await options.credentials?.(host)) ?? configured(host);
  }

  /**
   * Reads something from the first place that has it: mirrors, then the registry itself. What a mirror does wrong is
   * told as a warning; what the registry does wrong is thrown.
   * @throws RegistryError
   */
  async read<T>(
    named: Named,
    signal: AbortSignal | undefined,
    from: (repository: Repository) => Promise<T>,
  ): Promise<T> {
    let missing: RegistryError | undefined;
    const places = placesToRead(named, { mirrors: this.#options.mirrors ?? new Map(), rules: this.#known() });
    for (const place of places) {
      const repository = this.#open(place);
      if (!repository.isMirror)
        return from(repository).catch((error: unknown) => {
          throw afterMirror(missing, error);
        });
      if (this.#silent.has(repository.host)) continue;
      try {
        return await from(repository);
      } catch (error) {
        if (!(error instanceof RegistryError) || signal?.aborted === true) throw error;
        if (error.code === 'unreachable' || error.code === 'timeout') this.#silent.add(repository.host);
        if (error.code === 'not-found') missing = error;
        else this.warn(`a mirror of ${named.registry}: ${error.message}`);
      }
    }
    throw new Error('Internal error: an image without a registry');
  }

  /** The repository to write to: never a mirror. @throws RegistryError `blocked`, `config` */
  toWrite(named: Named): Repository {
    return this.#open(placeToWrite(named, { rules: this.#known() }));
  }

  /** Tells a warning, each once. */
  warn(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#options.onWarning?.(message);
  }

  #known(): readonly RegistryRule[] {
    this.#rules ??= readRegistriesConf(this.#environment);
    return this.#rules;
  }

  #open({ host: name, security, repository, isMirror }: Place): Repository {
    const key = `${security} ${name}`;
    const host =
      this.#hosts.get(key) ??
      new RegistryHost({
        name,
        security,
        send: this.#send,
        timing: this.timing,
        findCredentials: () => this.#credentials(name),
        lookedIn: [dockerConfigPath(this.#environment)],
        onHeaders: (headers) => this.#tellWarnings(name, headers),
      });
    this.#hosts.set(key, host);
    return { host, name: repository, isMirror };
  }

  /** @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#warnings */
  #tellWarnings(host: string, headers: ResponseHeaders): void {
    for (const header of headers.all('warning')) {
      const text = /^299 - "((?:[^"\\]|\\.)*)"/.exec(header)?.[1];
      if (text !== undefined) this.warn(`the registry ${host} says: ${printable(text)}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
  }
}

/** That the registry itself cannot be reached is half of the answer where a mirror was there and does not have it. */
function afterMirror(missing: RegistryError | undefined, error: unknown): unknown {
  if (missing === undefined || !(error instanceof RegistryError)) return error;
  if (error.code !== 'unreachable' && error.code !== 'timeout') return error;
  const { code, hint } = error;
  const message = `${missing.message}, and ${error.message}`;
  return new RegistryError(code, message, { ...(hint === undefined ? {} : { hint }), cause: error });
}
