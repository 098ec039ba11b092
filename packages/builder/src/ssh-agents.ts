import { lstat, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildError } from './failure.ts';

/** How long an agent may take to be there, in milliseconds. */
const START = 5000;

/**
 * The agents that `RUN --mount=type=ssh` shows: one that runs already, or one of our own that holds some keys and ends
 * with the build.
 */
export class SshAgents implements AsyncDisposable {
  readonly #sources: ReadonlyMap<string, readonly string[]>;
  readonly #agents = new Map<string, Promise<string>>();
  readonly #started = new AsyncDisposableStack();

  /** @param sources by id: the path of an agent's socket, or those of private keys */
  constructor(sources: Readonly<Record<string, readonly string[]>>) {
    this.#sources = new Map(Object.entries(sources));
  }

  /** The socket of an agent; undefined for one that was not given. @throws BuildError `missing-secret` */
  async open(id: string): Promise<string | undefined> {
    const paths = this.#sources.get(id);
    if (paths === undefined) return undefined;
    const agent = this.#agents.get(id) ?? this.#open(id, paths);
    this.#agents.set(id, agent);
    return agent;
  }

  async #open(id: string, paths: readonly string[]): Promise<string> {
    const kinds = await Promise.all(paths.map((path) => isSocket(id, path)));
    const [first] = paths;
    if (first !== undefined && paths.length === 1 && kinds[0] === true) return first;
    if (!kinds.includes(true)) return this.#hold(id, paths);
    throw buildError('missing-secret', `the ssh agent ${JSON.stringify(id)} is given more than a socket`, {
      expected: 'the socket of one agent, or private keys',
    });
  }

  /** Starts an agent for some keys. It ends with this process, even if that is killed. */
  async #hold(id: string, keys: readonly string[]): Promise<string> {
    // The path of a socket has 107 bytes at most: it cannot lie in the store.
    const folder = await mkdtemp(join(tmpdir(), 'caisson-ssh-'));
    this.#started.defer(() => rm(folder, { recursive: true, force: true }));
    const socket = join(folder, 'agent');
    const { execa } = await import('execa');
    const agent = execa('setpriv', ['--pdeathsig', 'KILL', 'ssh-agent', '-D', '-a', socket], {
      reject: false,
      stdio: 'ignore',
    });
    this.#started.defer(async () => {
      agent.kill('SIGKILL');
      await agent;
    });
    const hasEnded = agent.then(() => true);
    for (const end = Date.now() + START; !(await isThere(socket));) {
      const isOver = await Promise.race([hasEnded, new Promise((done) => setTimeout(done, 5, false))]);
      if (isOver === true || Date.now() > end) throw noAgent(id);
    }
    for (const key of keys) await addKey(id, key, socket);
    return socket;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#started.disposeAsync();
  }
}

async function isSocket(id: string, path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSocket();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const message = `the ssh agent ${JSON.stringify(id)} cannot be used: ${path}: ${String(error.code)}`;
    throw buildError('missing-secret', message);
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function addKey(id: string, key: string, socket: string): Promise<void> {
  const { execa } = await import('execa');
  // A key with a passphrase must not ask for it.
  const env = { SSH_AUTH_SOCK: socket, SSH_ASKPASS: '/bin/false', SSH_ASKPASS_REQUIRE: 'force' };
  const options = { env, stdin: 'ignore', reject: false, lines: true } as const;
  const { exitCode, stderr } = await execa('ssh-add', ['-q', '--', key], options);
  if (exitCode === 0) return;
  const said = stderr.find((line) => /^\w/.test(line));
  const why = said === undefined ? 'it has a passphrase, most likely' : said;
  throw buildError(
    'missing-secret',
    `the key of the ssh agent ${JSON.stringify(id)} cannot be used: ${why}`,
    {
      hint: 'a key with a passphrase is added to an agent before: ssh-add, then --ssh default',
    },
  );
}

function noAgent(id: string): Error {
  return buildError('missing-secret', `no ssh agent could be started for the keys of ${JSON.stringify(id)}`, {
    hint: 'apt-get install openssh-client, or give the socket of an agent that runs',
  });
}
