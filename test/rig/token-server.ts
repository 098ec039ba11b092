import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';

/** A token server for registries: gives tokens for pulling to anybody, for pushing to one user. */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  /** What tokens are signed by (PEM). */
  readonly certificate: string;
  /** What it was asked for, in order. */
  asked(): readonly { readonly scope: string; readonly service: string; readonly user: string }[];
}

/** Starts a token server on a free port. */
export async function startTokenServer(
  parent: string,
  account: { readonly user: string; readonly password: string },
): Promise<TokenServer> {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'tokens-'));
  const [keyPath, certificatePath] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const command = 'req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=test-issuer';
  await execa('openssl', [...command.split(' '), '-keyout', keyPath, '-out', certificatePath]);
  const key = readFileSync(keyPath, 'utf8');
  const asked: { scope: string; service: string; user: string }[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const [, basic = ''] = (request.headers.authorization ?? '').split(' ');
    const given = Buffer.from(basic, 'base64').toString('utf8');
    const isKnown = given === `${account.user}:${account.password}`;
    const user = isKnown ? account.user : '';
    const scopes = searchParams.getAll('scope');
    const service = searchParams.get('service') ?? '';
    for (const scope of scopes) asked.push({ scope, service, user });
    if (given !== '' && !isKnown) {
      response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
      return;
    }
    const token = makeToken(key, user, service, scopes);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ token, expires_in: 300 }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    realm: `http://127.0.0.1:${address.port}/token`,
    certificate: readFileSync(certificatePath, 'utf8'),
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** A JSON web token as docker-registry checks it. */
function makeToken(key: string, user: string, service: string, scopes: readonly string[]): string {
  const access = scopes.map((scope) => {
    const [type = '', name = '', actions = ''] = scope.split(':');
    const allowed = actions.split(',').filter((action) => action === 'pull' || user !== '');
    return { type, name, actions: allowed };
  });
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: 'JWT', alg: 'RS256', kid: keyId(key) };
  const claims = {
    iss: 'test-issuer',
    sub: user,
    aud: service,
    exp: now + 300,
    nbf: now - 10,
    iat: now,
    jti: String(now),
    access,
  };
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), createPrivateKey(key)).toString('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** libtrust's name of a key: what docker-registry looks it up by. */
function keyId(key: string): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const bytes = createHash('sha256').update(der).digest().subarray(0, 30);
  const letters = base32(bytes);
  return letters.match(/.{4}/g)?.join(':') ?? '';
}

function base32(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => alphabet[Number.parseInt(five, 2)] ?? '').join('');
}
