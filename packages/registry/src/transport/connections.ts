import { homedir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, type ConnectionOptions } from 'node:tls';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import { readHostCertificates } from './host-certificates.ts';
import { proxyFor, type Environment } from './proxy.ts';
import { redactUrl } from './redact.ts';
import type { Timing } from './timing.ts';

/** The way to a host. */
export interface Route {
  readonly dispatcher: Dispatcher;
  /** The proxy in between, as it may be shown. */
  readonly proxy: string | undefined;
}

/**
 * The connections of a client, kept open between requests. HTTP/1.1 only: a layer then has a TCP connection, and its
 * flow control, for itself.
 */
export class Connections implements AsyncDisposable {
  readonly #environment: Environment;
  readonly #timing: Timing;
  readonly #certificateFolders: readonly string[];
  readonly #dispatchers = new Map<string, Dispatcher>();

  constructor(environment: Environment, timing: Timing) {
    this.#environment = environment;
    this.#timing = timing;
    this.#certificateFolders = certificateFolders(environment);
  }

  /**
   * How to get to the host of a URL.
   * @param unverifiedHost the one `host:port` whose certificate is not checked
   * @throws RegistryError `config`
   */
  route(url: URL, unverifiedHost?: string): Route {
    const proxy = proxyFor(url, this.#environment);
    const isVerified = url.host !== unverifiedHost;
    const secure = url.protocol === 'https:' ? url.host : '';
    const key = JSON.stringify([secure, isVerified, proxy?.href]);
    let dispatcher = this.#dispatchers.get(key);
    if (dispatcher === undefined) {
      dispatcher = this.#open(secure, isVerified, proxy);
      this.#dispatchers.set(key, dispatcher);
    }
    return { dispatcher, proxy: proxy === undefined ? undefined : redactUrl(proxy) };
  }

  #open(secureHost: string, isVerified: boolean, proxy: URL | undefined): Dispatcher {
    const tls = secureHost === '' ? {} : { ...this.#tlsOptions(secureHost), rejectUnauthorized: isVerified };
    const connect = { ...tls, timeout: this.#timing.connect };
    if (proxy === undefined) return new Agent({ allowH2: false, connect });
    return new ProxyAgent({
      uri: proxy.href,
      allowH2: false,
      requestTls: connect,
      proxyTls: { timeout: this.#timing.connect },
    });
  }

  #tlsOptions(host: string): Pick<ConnectionOptions, 'ca' | 'cert' | 'key'> {
    const certificates = readHostCertificates(host, this.#certificateFolders);
    if (certificates === undefined) return {};
    const { authorities, client } = certificates;
    return {
      ...(authorities.length === 0 ? {} : { ca: [...getCACertificates('default'), ...authorities] }),
      ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    };
  }

  /** Closes all connections, also those in use. */
  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(open.map((dispatcher) => dispatcher.destroy()));
  }
}

function certificateFolders(environment: Environment): string[] {
  const home = environment['HOME'] ?? homedir();
  const config = environment['XDG_CONFIG_HOME'] ?? join(home, '.config');
  return [join(config, 'containers', 'certs.d'), '/etc/containers/certs.d', '/etc/docker/certs.d'];
}
