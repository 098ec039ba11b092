import { execa } from 'execa';
import * as z from 'zod/mini';
import { RegistryError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Environment } from '../transport/proxy.ts';
import type { Credentials } from './credentials.ts';

const MAX_OUTPUT = 1024 * 1024;

const answer = z.looseObject({ Username: z.string(), Secret: z.string() });

/** The user name under which a helper keeps an identity token. */
const TOKEN_USER = '<token>';

/**
 * Asks a credential helper of docker's for the credentials of a server. The server's name goes to its standard input.
 * @param name what stands behind `docker-credential-`
 * @returns undefined where the helper has none
 * @throws RegistryError `credentials`
 * @see https://github.com/docker/docker-credential-helpers (the protocol)
 */
export async function askHelper(
  name: string,
  server: string,
  { env, timeout }: { env: Environment; timeout: number },
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new RegistryError('credentials', `the credential helper ${JSON.stringify(name)} has no valid name`);
  }
  const ended = await execa(program, ['get'], {
    env,
    extendEnv: false,
    input: server,
    timeout,
    maxBuffer: MAX_OUTPUT,
    reject: false,
    stripFinalNewline: true,
  });
  if (ended.failed) {
    const said = printable(ended.stdout || ended.stderr || '');
    if (/credentials not found/i.test(said)) return undefined;
    throw new RegistryError('credentials', `the credential helper ${program} ${howItFailed(ended, said)}`, {
      hint: 'the configuration of docker names it (credHelpers, credsStore)',
    });
  }
  return readAnswer(ended.stdout, program);
}

function howItFailed(
  ended: {
    timedOut: boolean;
    isMaxBuffer: boolean;
    code?: string | undefined;
    exitCode?: number | undefined;
  },
  said: string,
): string {
  if (ended.timedOut) return 'did not answer in time';
  if (ended.isMaxBuffer) return 'answered with more than 1 MiB';
  if (ended.code === 'ENOENT') return 'is not installed';
  const code = ended.exitCode === undefined ? '' : ` with exit code ${ended.exitCode}`;
  return `failed${code}${said === '' ? '' : `: ${said}`}`;
}

function readAnswer(text: string, program: string): Credentials | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = answer.safeParse(value);
  if (!parsed.success) {
    // What it said may hold a secret: it is not shown.
    throw new RegistryError('credentials', `the credential helper ${program} gave an answer that is none`);
  }
  const { Username: username, Secret: secret } = parsed.data;
  if (secret === '') return undefined;
  if (username === TOKEN_USER) return { kind: 'identity-token', token: secret, origin: program };
  return { kind: 'password', username, password: secret, origin: program };
}
