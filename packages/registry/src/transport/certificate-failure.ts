import { RegistryError } from '../errors.ts';

const CLOCK = "if it is not so, this machine's clock is wrong: check the clock";

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);

/**
 * What is wrong with a host's certificate or TLS, from the code of node or OpenSSL; undefined where the code is of
 * something else. Nothing falls back to less than TLS after one of these.
 */
export function certificateFailure(code: string, host: string, cause: unknown): RegistryError | undefined {
  const failure = (message: string, hint?: string): RegistryError =>
    new RegistryError('tls', message, { cause, ...(hint === undefined ? {} : { hint }) });
  if (code === 'CERT_HAS_EXPIRED') return failure(`the certificate of ${host} has expired`, CLOCK);
  if (code === 'CERT_NOT_YET_VALID') return failure(`the certificate of ${host} is not valid yet`, CLOCK);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return failure(`the certificate of ${host} is for another name: ${namesIn(cause)}`);
  }
  if (UNTRUSTED.has(code)) {
    return failure(
      `the certificate of ${host} is signed by an authority that is not trusted here`,
      `if you trust it, put its certificate into /etc/containers/certs.d/${host}/ca.crt, or set NODE_USE_SYSTEM_CA=1 to trust what this system trusts`,
    );
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return failure(
      `${host} does not speak TLS`,
      'plain http is used only for hosts of this machine, and for those that registries.conf or an option calls insecure',
    );
  }
  if (
    code.startsWith('ERR_SSL_') ||
    code.startsWith('ERR_TLS_') ||
    code.startsWith('CERT_') ||
    code === 'EPROTO'
  ) {
    return failure(`the TLS connection to ${host} failed: ${code}`);
  }
  return undefined;
}

/** The names that a certificate is for, as node found them. */
function namesIn(error: unknown): string {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    if ('cert' in at && typeof at.cert === 'object' && at.cert !== null && 'subjectaltname' in at.cert) {
      const names = String(at.cert.subjectaltname);
      return names.replaceAll(/(DNS|IP Address):/g, '').slice(0, 200);
    }
    if (!('cause' in at)) break;
    at = at.cause;
  }
  return 'it names none';
}
