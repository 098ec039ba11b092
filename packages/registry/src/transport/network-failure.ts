import { aborted, RegistryError } from '../errors.ts';
import { certificateFailure } from './certificate-failure.ts';

/** What a failure happened to. */
export interface RequestContext {
  readonly url: URL;
  /** The proxy in between, as it may be shown. */
  readonly proxy: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What a request that got no answer, or whose body broke off, failed of. */
export function networkFailure(error: unknown, context: RequestContext): RegistryError {
  if (error instanceof RegistryError) return error;
  if (context.signal?.aborted === true) return aborted(context.signal);
  const code = causeCode(error);
  const host = context.url.host;
  const proxyStatus = /Proxy response \((\d+)\)/.exec(messageOf(error))?.[1];
  if (context.proxy !== undefined && proxyStatus !== undefined) {
    return new RegistryError(
      'unreachable',
      `the proxy ${context.proxy} refused the connection to ${host} with the status ${proxyStatus}`,
      { cause: error, ...(proxyStatus === '407' ? { hint: 'it asks for credentials of its own' } : {}) },
    );
  }
  const certificate = code === undefined ? undefined : certificateFailure(code, host, error);
  if (certificate !== undefined) return certificate;
  const to = context.proxy === undefined ? host : `the proxy ${context.proxy} (for ${host})`;
  const timeout = code === undefined ? undefined : TIMEOUTS[code];
  if (timeout !== undefined) return new RegistryError('timeout', timeout(to), { cause: error });
  if (code === 'ENOTFOUND') {
    return new RegistryError('unreachable', `cannot find ${to}: the host name does not resolve`, {
      cause: error,
      hint: 'check the spelling of the name, and the DNS of this machine',
    });
  }
  const what =
    code === undefined ? 'the connection failed' : (REASONS[code] ?? `the connection failed (${code})`);
  return new RegistryError('unreachable', `cannot reach ${to}: ${what}`, { cause: error });
}

const TIMEOUTS: Readonly<Record<string, (host: string) => string>> = {
  UND_ERR_CONNECT_TIMEOUT: (host) => `cannot reach ${host}: the connection was not made in time`,
  UND_ERR_HEADERS_TIMEOUT: (host) => `${host} did not answer in time`,
  UND_ERR_BODY_TIMEOUT: (host) => `${host} stopped sending`,
  ETIMEDOUT: (host) => `cannot reach ${host}: the connection timed out`,
};

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  EAI_AGAIN: 'the name servers do not answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no network',
  UND_ERR_PRX_CONN: 'the proxy cut the connection',
};

/** Whether trying again at once would only give the same: nobody has that name, or nobody listens. */
export function isLasting(error: RegistryError): boolean {
  const code = causeCode(error.cause);
  return code === 'ENOTFOUND' || code === 'ECONNREFUSED';
}

/** Whether the other end answered a TLS handshake in a way that shows that it speaks plain http. */
export function speaksNoTls(error: RegistryError): boolean {
  const code = causeCode(error.cause);
  return code !== undefined && NO_TLS.has(code);
}

/** Whether nobody listens at the address. */
export function isRefused(error: RegistryError): boolean {
  return causeCode(error.cause) === 'ECONNREFUSED';
}

const NO_TLS = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ECONNRESET', // a server of plain http may hang up on what it cannot read
  'UND_ERR_SOCKET',
]);

/** The code of an error, or of what caused it: undici and node wrap what the system said. */
function causeCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    if ('errors' in at && Array.isArray(at.errors)) {
      const first: unknown = at.errors[0]; // one a address that was tried
      if (first !== undefined) {
        at = first;
        continue;
      }
    }
    if ('code' in at && typeof at.code === 'string' && !OUTER_CODES.has(at.code)) return at.code;
    if (!('cause' in at)) return undefined;
    at = at.cause;
  }
  return undefined;
}

const OUTER_CODES = new Set(['UND_ERR', 'UND_ERR_PRX_TLS']);

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
