import { basicHeader, type Credentials } from '../auth/credentials.ts';
import { RegistryError } from '../errors.ts';
import { checkReach } from './addresses.ts';
import { bytesBody, type HttpRequest } from './http.ts';
import type { Scope } from './scope.ts';

/** Where tokens are to be had, as a challenge says it. */
export interface TokenService {
  readonly realm: string;
  readonly service: string | undefined;
}

const CLIENT_ID = 'caisson';

/**
 * The address of a token server, if it is one that credentials may be sent to.
 * @param from the registry that names it
 * @throws RegistryError `invalid-response`, `unsafe-address`
 */
export function realmUrl(from: URL, realm: string): URL {
  const url = URL.parse(realm);
  if (url === null) {
    throw new RegistryError('invalid-response', `${from.host} names a token server that is not a URL`);
  }
  url.username = '';
  url.password = '';
  checkReach(from, url, 'token server');
  return url;
}

/** Asks for a token in the way that the credentials allow; without any, for an anonymous one. */
export function tokenRequest(
  realm: URL,
  service: TokenService,
  scopes: readonly Scope[],
  credentials: Credentials | undefined,
): HttpRequest {
  if (credentials?.kind === 'identity-token')
    return refreshRequest(realm, service, scopes, credentials.token);
  return basicTokenRequest(realm, service, scopes, credentials);
}

/**
 * Asks for a token by GET. An identity token goes in as a password, which is what servers that know no refresh take.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export function basicTokenRequest(
  realm: URL,
  service: TokenService,
  scopes: readonly Scope[],
  credentials: Credentials | undefined,
): HttpRequest {
  const url = new URL(realm);
  url.searchParams.set('client_id', CLIENT_ID);
  if (service.service !== undefined) url.searchParams.set('service', service.service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials?.kind === 'password') url.searchParams.set('account', credentials.username);
  const authorization = credentials === undefined ? {} : { authorization: authorizationOf(credentials) };
  return { method: 'GET', url, headers: authorization, signal: undefined };
}

function authorizationOf(credentials: Credentials): string {
  switch (credentials.kind) {
    case 'password':
      return basicHeader(credentials.username, credentials.password);
    case 'identity-token':
      return basicHeader('<token>', credentials.token);
    case 'bearer-token':
      return `Bearer ${credentials.token}`;
  }
}

/** @see https://distribution.github.io/distribution/spec/auth/oauth/ */
function refreshRequest(
  realm: URL,
  service: TokenService,
  scopes: readonly Scope[],
  refreshToken: string,
): HttpRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID });
  if (service.service !== undefined) form.set('service', service.service);
  form.set('scope', scopes.join(' '));
  form.set('refresh_token', refreshToken);
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: bytesBody(Buffer.from(form.toString(), 'utf8')),
    signal: undefined,
  };
}
