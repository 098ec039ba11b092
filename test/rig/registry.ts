import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { findTool } from './tools.ts';

/** A real registry (docker-registry of Debian) on a free port of this machine. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** The lines of its log, one a request among others. */
  log(): string;
}

/** How to start a registry. */
export interface RegistryOptions {
  /** Lines `user:bcrypt`, for Basic authentication. */
  readonly htpasswd?: string;
  /** Else one that is free. */
  readonly port?: number;
  /** A token server: its URL, and the certificate (PEM) that its tokens are signed by. */
  readonly token?: { readonly realm: string; readonly certificate: string };
}

/** `user` and `secret:word`, as htpasswd -B writes it. */
export const HTPASSWD = 'user:$2b$05$2GM47FI/2B66NkNkiKDSIuJQHNZ6ktjGNuw7yCJtnadJlf2n94XCO\n';

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });
}

/**
 * Starts a registry.
 * @param parent where its content is kept
 */
export async function startRegistry(parent: string, options: RegistryOptions = {}): Promise<Registry> {
  const program = findTool('docker-registry');
  if (program === undefined) throw new Error('docker-registry is not installed');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'registry-'));
  const host = `127.0.0.1:${options.port ?? (await freePort())}`;
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify(configOf(folder, host, options)));
  let text = '';
  const server = execa(program, ['serve', config], {
    reject: false,
    stdin: 'ignore',
    all: true,
    buffer: false,
    cleanup: true,
  });
  server.all.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  await untilAnswers(host, () => text);
  return {
    host,
    log: () => text,
    [Symbol.asyncDispose]: async () => {
      server.kill('SIGKILL');
      await server;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(folder: string, host: string, { htpasswd, token }: RegistryOptions): object {
  const auth: Record<string, object> = {};
  if (htpasswd !== undefined) {
    writeFileSync(join(folder, 'htpasswd'), htpasswd);
    auth['htpasswd'] = { realm: 'tests', path: join(folder, 'htpasswd') };
  }
  if (token !== undefined) {
    writeFileSync(join(folder, 'token.pem'), token.certificate);
    auth['token'] = {
      realm: token.realm,
      service: 'test-registry',
      issuer: 'test-issuer',
      rootcertbundle: join(folder, 'token.pem'),
    };
  }
  // JSON is YAML.
  return {
    version: 0.1,
    log: { level: 'info' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
    ...(Object.keys(auth).length === 0 ? {} : { auth }),
  };
}

async function untilAnswers(host: string, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      await fetch(`http://${host}/v2/`);
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`the registry does not answer:\n${log()}`);
}
