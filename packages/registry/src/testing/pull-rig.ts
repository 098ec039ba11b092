import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { digestOf, parseReference, type Reference } from '@caisson/oci';
import { openStore, type Store } from '@caisson/store';
import { RegistryClient } from '../client.ts';
import { RegistryError } from '../errors.ts';
import type { RegistryOptions } from '../options.ts';
import { pullImage } from '../pull.ts';
import { answer, FakeServer, type Asked, type Handler } from './fake-server.ts';

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const PLATFORM = { os: 'linux', architecture: 'amd64' };
export const SECRET = 'Basic dXNlcjpzZWNyZXQ='; // user:secret

export const layer = Buffer.from('the bytes of a layer, of some length');
export const config = Buffer.from(
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  }),
);

export const describeLayer = {
  mediaType: 'application/vnd.oci.image.layer.v1.tar',
  digest: digestOf(layer),
  size: layer.length,
};
export const manifestOf = (changes: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [describeLayer],
      ...changes,
    }),
  );
export const manifest = manifestOf();

/** The folder of the running test. */
export let folder: string;
/** The store of the running test. */
export let store: Store;
const servers: FakeServer[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caisson-registry-'));
  store = await openStore(join(folder, 'store'));
});
afterEach(async () => {
  store[Symbol.dispose]();
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()));
  rmSync(folder, { recursive: true, force: true });
});

export async function serve(handler: Handler): Promise<FakeServer> {
  const server = await FakeServer.start(handler);
  servers.push(server);
  return server;
}

/** A registry with one image; a test may answer some requests itself, which it says by returning true. */
export function registry(
  special: (asked: Asked, response: ServerResponse) => boolean = () => false,
): Promise<FakeServer> {
  return serve((asked, response) => {
    if (special(asked, response)) return;
    if (asked.url === '/v2/') answer(response, 200);
    else if (/\/manifests\//.test(asked.url))
      answer(
        response,
        200,
        { 'content-type': MANIFEST, 'docker-content-digest': digestOf(manifest) },
        manifest,
      );
    else if (asked.url.endsWith(digestOf(config))) answer(response, 200, {}, config);
    else if (asked.url.endsWith(digestOf(layer))) answer(response, 200, {}, layer);
    else answer(response, 404, {}, '{"errors":[{"code":"NAME_UNKNOWN"}]}');
  });
}

export function logIn(...hosts: readonly string[]): void {
  const path = join(folder, 'docker');
  mkdirSync(path, { recursive: true });
  const auths = Object.fromEntries(hosts.map((host) => [host, { auth: SECRET.slice('Basic '.length) }]));
  writeFileSync(join(path, 'config.json'), JSON.stringify({ auths }));
}

export function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

export function client(options: Partial<RegistryOptions> = {}): RegistryClient {
  return new RegistryClient({
    env: { DOCKER_CONFIG: join(folder, 'docker'), HOME: folder, PATH: join(folder, 'bin') },
    timing: { backoff: 1, headers: 2000, idle: 1000, helper: 500, tries: 3 },
    ...options,
  });
}

export async function pull(name: string, options: Partial<RegistryOptions> = {}): Promise<string> {
  await using session = store.session();
  await using open = client(options);
  const image = await pullImage(open, reference(name), { store, session, platform: PLATFORM });
  return image.manifest.config.digest;
}

/** What comes of a pull that must fail. */
export async function failure(name: string, options: Partial<RegistryOptions> = {}): Promise<RegistryError> {
  try {
    await pull(name, options);
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
  throw new Error('it was pulled');
}

export const authorized = (server: FakeServer): Asked[] =>
  server.asked.filter((each) => each.authorization !== undefined);
export const challenge = { 'www-authenticate': 'Basic realm="x"' };

/** A registry that asks for a password; whoever has it gets what there is. */
export const guarded = (
  special: (asked: Asked, response: ServerResponse) => boolean = () => false,
): Promise<FakeServer> =>
  registry((asked, response) => {
    if (asked.authorization !== SECRET) answer(response, 401, challenge);
    return asked.authorization !== SECRET || special(asked, response);
  });

/** Installs a credential helper, and lets docker's configuration name it. */
export function helper(script: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin', 'docker-credential-test'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  mkdirSync(join(folder, 'docker'), { recursive: true });
  writeFileSync(join(folder, 'docker', 'config.json'), JSON.stringify({ credsStore: 'test' }));
}
