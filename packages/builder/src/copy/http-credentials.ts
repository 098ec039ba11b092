/** Reads a secret of the build; undefined for one that was not given. */
export type ReadSecret = (id: string) => Promise<Uint8Array | undefined>;

/**
 * A URL without user name and password, and the header that its server is asked with: from the secrets of the build for
 * that host, else what the URL had.
 * @see https://docs.docker.com/build/building/secrets/#http-authentication-for-add
 */
export async function withCredentials(
  text: string,
  secret: ReadSecret,
): Promise<{ readonly url: URL; readonly authorization: string | undefined }> {
  const url = new URL(text);
  const own = url.username === '' && url.password === '' ? undefined : credentialsOf(url);
  url.username = '';
  url.password = '';
  const authorization = (await secretHeader(url, secret)) ?? own;
  return { url, authorization };
}

async function secretHeader({ host, hostname }: URL, secret: ReadSecret): Promise<string | undefined> {
  for (const name of new Set([host, hostname])) {
    const header = await secretText(secret, `HTTP_AUTH_HEADER_${name}`);
    if (header !== undefined) return header;
    const token = await secretText(secret, `HTTP_AUTH_TOKEN_${name}`);
    if (token !== undefined) return `Bearer ${token}`;
  }
  return undefined;
}

function credentialsOf({ username, password }: URL): string {
  return basic(`${decoded(username)}:${decoded(password)}`);
}

/** Percent signs that stand for nothing stay as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The value of a header for a name and a password, `NAME:PASSWORD`. */
export function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
}

/** A secret as text, without the line end that its file may have. */
export async function secretText(secret: ReadSecret, id: string): Promise<string | undefined> {
  const bytes = await secret(id);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8').trim();
}
