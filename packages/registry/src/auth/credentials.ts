/** What one host is shown. `origin` says where it was found, for messages: a file, a helper, the caller. */
export type Credentials =
  | {
      readonly kind: 'password';
      readonly username: string;
      readonly password: string;
      readonly origin: string;
    }
  /** Exchanged at the token server for access tokens; also called a refresh token. */
  | { readonly kind: 'identity-token'; readonly token: string; readonly origin: string }
  /** Sent as it is. */
  | { readonly kind: 'bearer-token'; readonly token: string; readonly origin: string };

/**
 * Looks credentials up. It is asked for exactly one host, and what it gives is sent to no other.
 * @param host with its port if it has one, as images name it: `docker.io`, `localhost:5000`
 * @returns undefined where it has none
 * @throws RegistryError `credentials`
 */
export type CredentialProvider = (host: string) => Promise<Credentials | undefined>;

/** Whose credentials they are and where they are from, without the secret. */
export function describeCredentials(credentials: Credentials): string {
  switch (credentials.kind) {
    case 'password':
      return `the credentials of user ${JSON.stringify(credentials.username)} from ${credentials.origin}`;
    case 'identity-token':
    case 'bearer-token':
      return `the token from ${credentials.origin}`;
  }
}

/** The value of an Authorization header. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}
