import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { RegistryError } from '../errors.ts';
import type { Environment } from '../transport/proxy.ts';
import { askHelper } from './credential-helper.ts';
import type { CredentialProvider, Credentials } from './credentials.ts';

const entry = z.looseObject({
  auth: z.optional(z.string()),
  username: z.optional(z.string()),
  password: z.optional(z.string()),
  identitytoken: z.optional(z.string()),
  registrytoken: z.optional(z.string()),
});

const schema = z.looseObject({
  auths: z.optional(z.record(z.string(), entry)),
  credHelpers: z.optional(z.record(z.string(), z.string())),
  credsStore: z.optional(z.string()),
});

type DockerConfig = z.infer<typeof schema>;

/** What docker calls Docker Hub in its configuration. */
const DOCKER_HUB = 'https://index.docker.io/v1/';
const DOCKER_HUB_NAMES = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** Where docker's configuration lies: REGISTRY_AUTH_FILE, DOCKER_CONFIG, else the home folder. */
export function dockerConfigPath(env: Environment): string {
  const file = env['REGISTRY_AUTH_FILE'];
  if (file !== undefined && file !== '') return file;
  const folder = env['DOCKER_CONFIG'];
  return join(folder === undefined || folder === '' ? join(homeOf(env), '.docker') : folder, 'config.json');
}

function homeOf(env: Environment): string {
  const home = env['HOME'];
  return home === undefined || home === '' ? homedir() : home;
}

/**
 * Credentials as `docker login` keeps them: in its configuration file, or with the helper that the file names for
 * the host or for all. The file is read each time: somebody may log in meanwhile.
 * @param timeout how long a helper may take, in milliseconds
 */
export function dockerConfigCredentials(env: Environment, timeout: number): CredentialProvider {
  const path = dockerConfigPath(env);
  return async (host) => {
    const config = await readConfig(path);
    const isHub = DOCKER_HUB_NAMES.includes(host);
    const names = isHub ? DOCKER_HUB_NAMES : [host];
    const helper = names.map((name) => config.credHelpers?.[name]).find((name) => name !== undefined);
    const store = helper ?? config.credsStore;
    const kept =
      store === undefined || store === ''
        ? undefined
        : await askHelper(store, isHub ? DOCKER_HUB : host, { env, timeout });
    return kept ?? fromFile(config, names, path);
  };
}

async function readConfig(path: string): Promise<DockerConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return {};
    throw new RegistryError('credentials', `the credentials in ${path} cannot be read`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RegistryError('credentials', `${path} is not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new RegistryError('credentials', `${path} is no configuration of docker: see ${where || 'its top'}`);
}

function fromFile(config: DockerConfig, names: readonly string[], path: string): Credentials | undefined {
  const auths = Object.entries(config.auths ?? {});
  for (const name of names) {
    const found =
      auths.find(([key]) => key === name) ?? auths.find(([key]) => hostOfKey(key) === name.toLowerCase());
    const credentials = found === undefined ? undefined : readEntry(found[1], found[0], path);
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

/** The host that a key with a scheme stands for, as old versions of docker wrote them; any other key is a host itself. */
function hostOfKey(key: string): string | undefined {
  if (!/^https?:\/\//i.test(key)) return key.toLowerCase();
  return URL.parse(key)?.host;
}

function readEntry(
  { auth, username, password, identitytoken, registrytoken }: z.infer<typeof entry>,
  key: string,
  path: string,
): Credentials | undefined {
  const origin = path;
  if (registrytoken) return { kind: 'bearer-token', token: registrytoken, origin };
  if (identitytoken) return { kind: 'identity-token', token: identitytoken, origin };
  if (username && password) return { kind: 'password', username, password, origin };
  if (!auth) return undefined;
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon < 1) {
    throw new RegistryError(
      'credentials',
      `${path}: the member "auth" for ${JSON.stringify(key)} is not the base64 of USER:PASSWORD`,
    );
  }
  return {
    kind: 'password',
    username: decoded.slice(0, colon),
    password: decoded.slice(colon + 1),
    origin,
  };
}
