import { mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Session } from '@caisson/store';
import { errorCode } from '@caisson/sys';
import { optionWords } from './option-words.ts';
import { buildError } from './failure.ts';
import { Once } from './once.ts';

/** What of a path the kernel takes to reach a socket, in bytes (`sun_path`, and a NUL). */
const MAX_SOCKET_PATH = 107;

/**
 * The agents that `RUN --mount=type=ssh` shows: one that runs already, or one of our own that holds some keys and ends
 * with the build.
 */
export class SshAgents implements AsyncDisposable {
  readonly #sources: ReadonlyMap<string, readonly string[]>;
  readonly #agents = new Once<string, Promise<string>>();
  readonly #started = new AsyncDisposableStack();

  readonly #session: Session;

  /** @param sources by id: the path of an agent's socket, or those of private keys */
  constructor(sources: Readonly<Record<string, readonly string[]>>, session: Session) {
    this.#session = session;
    this.#sources = new Map(Object.entries(sources));
  }

  /** The socket of an agent; undefined for one that was not given. @throws BuildError `missing-secret` */
  async open(id: string): Promise<string | undefined> {
    const paths = this.#sources.get(id);
    if (paths === undefined) return undefined;
    return this.#agents.get(id, () => this.#open(id, paths));
  }

  async #open(id: string, paths: readonly string[]): Promise<string> {
    const kinds = await Promise.all(paths.map((path) => isSocket(id, path)));
    const [first] = paths;
    if (first !== undefined && paths.length === 1 && kinds[0] === true) return this.#reach(id, first);
    if (!kinds.includes(true)) return this.#hold(id, paths);
    throw buildError('missing-secret', `the ssh agent ${JSON.stringify(id)} is given more than a socket`, {
      expected: 'the socket of one agent, or private keys',
    });
  }

  /** A path that is short enough to reach a socket by: a link where its own is not. */
  async #reach(id: string, socket: string): Promise<string> {
    if (Buffer.byteLength(socket) <= MAX_SOCKET_PATH) return socket;
    const link = this.#session.newPath('agent');
    if (Buffer.byteLength(link) > MAX_SOCKET_PATH) {
      const length = Buffer.byteLength(socket);
      throw buildError(
        'missing-secret',
        `the socket of the ssh agent ${JSON.stringify(id)} cannot be reached: its path is too long, ${length} bytes`,
        {
          expected: `a path of ${MAX_SOCKET_PATH} bytes at most`,
          hint: 'a link to it may have a shorter one: ln -s',
        },
      );
    }
    await symlink(resolve(socket), link);
    return link;
  }

  /** Starts an agent for some keys. It ends with the build; if this process is killed, seconds later. */
  async #hold(id: string, keys: readonly string[]): Promise<string> {
    // The path of a socket has 107 bytes at most: it cannot lie in the store.
    const folder = await mkdtemp(join(tmpdir(), 'caisson-ssh-'));
    this.#started.defer(() => rm(folder, { recursive: true, force: true }));
    const socket = join(folder, 'agent');
    const { execa } = await import('execa');
    // The agent looks whether its program still runs: that ends with its input, which is ours. (The kernel would not end
    // the agent with this process: it is a program that changes its group.)
    const script = 'echo "$SSH_AGENT_PID"; cat > /dev/null; rm -rf -- "$0"';
    const program = ['sh', '-c', script, folder];
    const agent = execa('ssh-agent', ['-a', socket, ...program], {
      reject: false,
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'ignore',
    });
    const pid = await firstLine(agent.stdout);
    if (pid === undefined) throw noAgent(id);
    this.#started.defer(async () => {
      process.kill(Number(pid));
      agent.stdin.end();
      await agent;
    });
    for (const key of keys) await addKey(id, key, socket);
    return socket;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#started.disposeAsync();
  }
}

async function isSocket(id: string, path: string): Promise<boolean> {
  const why = await stat(path).then(
    (found) => (found.isSocket() ? 'socket' : found.isFile() ? 'file' : 'it is neither a socket nor a file'),
    (error: unknown) => errorCode(error) ?? String(error),
  );
  if (why === 'socket' || why === 'file') return why === 'socket';
  throw buildError('missing-secret', `the ssh agent ${JSON.stringify(id)} cannot be used: ${path}: ${why}`);
}

/** The first line that a program writes; undefined where it ends without. */
async function firstLine(output: Readable): Promise<string | undefined> {
  for await (const chunk of output.setEncoding('utf8')) return String(chunk).trim();
  return undefined;
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
      hint: `a key with a passphrase is added to an agent before: ssh-add, then ${optionWords().defaultAgent}`,
    },
  );
}

function noAgent(id: string): Error {
  return buildError('missing-secret', `no ssh agent could be started for the keys of ${JSON.stringify(id)}`, {
    hint: 'apt-get install openssh-client, or give the socket of an agent that runs',
  });
}
