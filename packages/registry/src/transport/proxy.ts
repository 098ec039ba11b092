import { RegistryError } from '../errors.ts';
import { isExempt } from './no-proxy.ts';
import { redactUrl } from './redact.ts';

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL: HTTPS_PROXY or HTTP_PROXY by its scheme, unless NO_PROXY exempts its host. Of a name in lower
 * and in upper case, the lower one counts.
 * @returns undefined for a direct connection
 * @throws RegistryError `config` if the variable holds no URL of a proxy
 */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const value = setting(environment, name);
  if (value === undefined || isExempt(url, setting(environment, 'no_proxy') ?? '')) return undefined;
  return parseProxy(value, name.toUpperCase());
}

function setting(environment: Environment, name: string): string | undefined {
  const value = environment[name] ?? environment[name.toUpperCase()];
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

const SCHEMES = new Set(['http:', 'https:', 'socks5:']);

function parseProxy(value: string, variable: string): URL {
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.parse(text);
  if (url === null) {
    throw new RegistryError('config', `${variable} is not a URL`); // not shown: it may hold a password
  }
  if (!SCHEMES.has(url.protocol)) {
    throw new RegistryError('config', `${variable} names a proxy of an unknown kind: ${redactUrl(url)}`, {
      hint: 'http, https and socks5 are known',
    });
  }
  return url;
}
