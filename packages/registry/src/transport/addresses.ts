import { BlockList, isIP } from 'node:net';
import { RegistryError } from '../errors.ts';
import { redactUrl } from './redact.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

// What a cloud machine's metadata service is reached at, among others. Nothing of use for images is there.
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');
LINK_LOCAL.addSubnet('0.0.0.0', 8, 'ipv4');
LINK_LOCAL.addAddress('::', 'ipv6');

/** A host name without the brackets of an IPv6 address and without the dot of a full name, in lower case. */
export function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

/** Whether a bare host is certainly of this machine: `localhost`, 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || isIn(LOOPBACK, host);
}

function isIn(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Where an answer of one host may send this client: a redirect, an upload's place, a token server, the address of a
 * foreign layer. To https only, or to http from a host that itself is spoken to in http; to this machine only from
 * this machine; never to link-local addresses.
 * @param from who said so
 * @param to where it leads
 * @param what of the sentence `HOST names a WHAT at ...`
 * @throws RegistryError `unsafe-address`
 */
export function checkReach(from: URL, to: URL, what: string): void {
  const problem = reachProblem(from, to);
  if (problem === undefined) return;
  throw new RegistryError(
    'unsafe-address',
    `${from.host} names a ${what} at ${redactUrl(to)}, which is ${problem}`,
  );
}

function reachProblem(from: URL, to: URL): string | undefined {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return 'neither http nor https';
  if (to.protocol === 'http:' && from.protocol !== 'http:') return 'not https';
  const host = bareHost(to.hostname);
  if (isIn(LINK_LOCAL, host)) return 'an address that no registry has';
  const isLocal = isLoopback(host) || host.endsWith('.localhost');
  if (isLocal && !isLoopback(bareHost(from.hostname))) return 'on this machine';
  return undefined;
}
