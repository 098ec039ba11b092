import { isIP } from 'node:net';
import { err, ok, type Result } from '@caisson/oci';
import { suggest } from '@caisson/parser';

const PROTOCOLS = ['tcp', 'udp', 'sctp'];

/** What is wrong with a port. */
export interface PortProblem {
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/**
 * The ports that a word of EXPOSE names, as an image config has them: `80` is `80/tcp`, `8000-8002/udp` is three. A
 * host address or port before it (`127.0.0.1:80:8080`) counts for nothing, as with docker.
 */
export function parseExposedPorts(text: string): Result<string[], PortProblem> {
  const [spec = '', named = '', ...rest] = text.split('/');
  const protocol = named === '' ? 'tcp' : named;
  const isKnown = PROTOCOLS.includes(protocol.toLowerCase());
  if (rest.length > 0 || !isKnown) {
    const near = suggest(protocol, PROTOCOLS);
    const suggestion = near === undefined ? undefined : [spec, near].join('/');
    return err({ message: `${JSON.stringify(protocol)} is no protocol: tcp, udp or sctp`, suggestion });
  }
  const [, address = '', container = spec] = /^(?:(.*):)?[^:]*:([^:]*)$/.exec(spec) ?? [];
  if (address !== '' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0)
    return err({ message: `${JSON.stringify(address)} is no IP address` });
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(container);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || last > 65_535)
    return err({ message: `${JSON.stringify(text)} is no port: a number up to 65535, or a range` });
  if (last < first)
    return err({
      message: `the range ${container} ends before it begins`,
      suggestion: `${last}-${first}`,
    });
  return ok(
    Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol.toLowerCase()}`),
  );
}
