import { BlockList, isIP } from 'node:net';
import { bareHost, isLoopback } from './addresses.ts';

/**
 * Whether NO_PROXY exempts a host from the proxy. Its entries, separated by commas or spaces: `*`; an address; a range
 * of addresses (`10.0.0.0/8`); a name, which stands for itself and all below it; `.name` or `*.name`, for what is
 * below it only. Each may end in `:port`. Loopback addresses and `localhost` are always exempt.
 * @param url of the request; its port counts even where it is the usual one
 */
export function isExempt(url: URL, noProxy: string): boolean {
  const host = bareHost(url.hostname);
  if (isLoopback(host)) return true;
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return isInRange(entry, host);
  const { name, port: entryPort } = splitPort(entry);
  if (entryPort !== undefined && entryPort !== port) return false;
  if (name === '*') return true;
  if (isIP(name) !== 0) return isIP(host) !== 0 && isInRange(`${name}/${isIP(name) === 4 ? 32 : 128}`, host);
  const bare = name.replace(/\.$/, '');
  if (bare.startsWith('*.')) return host.endsWith(bare.slice(1));
  if (bare.startsWith('.')) return host.endsWith(bare);
  return host === bare || host.endsWith(`.${bare}`);
}

function splitPort(entry: string): { name: string; port: string | undefined } {
  const [, bracketed, port6] = /^\[(.*)\](?::(\d+))?$/.exec(entry) ?? [];
  if (bracketed !== undefined) return { name: bracketed, port: port6 };
  const [, name, port] = /^([^:]*):(\d+)$/.exec(entry) ?? [];
  return name === undefined ? { name: entry, port: undefined } : { name, port };
}

function isInRange(range: string, host: string): boolean {
  const [network = '', bits = ''] = range.split('/');
  const family = isIP(network);
  const length = Number(bits);
  if (family === 0 || isIP(host) === 0 || !/^\d{1,3}$/.test(bits) || length > (family === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(network, length, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}
