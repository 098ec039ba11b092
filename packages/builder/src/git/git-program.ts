import { errorCode } from '@caisson/sys';
import { buildError } from '../failure.ts';
import { sshCommand } from './ssh-command.ts';
import { printableLines } from './git-output.ts';
import { GitProgressReader, withoutProgress } from './git-progress.ts';

/** A header that goes with every request to a server, `Authorization: ...`: for one origin only. */
export interface GitHeader {
  readonly origin: string;
  readonly header: string;
}

/** What opens a server's door. */
export interface GitAccess {
  readonly header: GitHeader | undefined;
  /** The socket of an ssh agent, where it is not that of the environment. */
  readonly agent: string | undefined;
}

/** How git is run. */
export interface GitOptions {
  /** Where; nowhere for a question to a server. */
  readonly cwd?: string;
  readonly access: GitAccess;
  readonly signal: AbortSignal;
  /** Told how far it is, where it is asked to say that. */
  readonly onFar?: ConstructorParameters<typeof GitProgressReader>[0];
}

/** git ended with another code than 0. */
export class GitError extends Error {
  override readonly name = 'GitError';
  /** What it said, line by line, fit to be shown. */
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('; '));
    this.lines = lines;
  }
}

/**
 * What of the environment git may see: nothing of it names a program, but ssh's agent and ways through proxies. Without a
 * home it reads no attributes and no .netrc of the user's; ssh finds known_hosts all the same.
 */
const PASSED = [
  'PATH',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'all_proxy',
  'no_proxy',
  'NO_PROXY',
];

/** Settings in place of those of the user and of the machine, which may name programs to run. */
const SETTINGS: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.symlinks': 'true',
  'credential.helper': '',
  'init.defaultBranch': 'main',
  'init.templateDir': '',
  'fetch.recurseSubmodules': 'false',
  // A server that says nothing for a minute is given up.
  'http.lowSpeedLimit': '1',
  'http.lowSpeedTime': '60',
  'fetch.fsckObjects': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'advice.detachedHead': 'false',
  'safe.directory': '*',
};

/**
 * Runs git as it is installed, without a shell, without asking anybody anything, without the settings of the user and the
 * machine. It speaks http, https, ssh and git, whatever a repository asks for. What stands behind `--` is never an option.
 * @returns its standard output
 * @throws GitError; BuildError `fetch-failed` where it is not installed
 */
export async function runGit(args: readonly string[], options: GitOptions): Promise<string> {
  const { cwd, access, signal, onFar } = options;
  const { execa } = await import('execa'); // most builds need no git
  signal.throwIfAborted();
  const running = execa('git', args, {
    cwd: cwd ?? '/',
    env: {
      ...passedOn(process.env),
      ...FIXED,
      GIT_SSH_COMMAND: sshCommand(process.env['HOME']),
      ...agentOf(access),
      ...settings(access),
    },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    // Its helpers hold its pipes: they must end with it.
    detached: true,
    cleanup: false,
    maxBuffer: 64 << 20,
  });
  const end = (): void => endGroup(running.pid);
  signal.addEventListener('abort', end, { once: true });
  if (onFar !== undefined) {
    const reader = new GitProgressReader(onFar);
    running.stderr.on('data', (chunk: unknown) => reader.push(String(chunk)));
  }
  const ended = await running;
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (ended.exitCode === 0) return ended.stdout;
  if (ended.code === 'ENOENT') {
    throw buildError('fetch-failed', 'git is not installed, and a git repository is to be fetched', {
      hint: 'apt-get install git',
    });
  }
  const said = withoutProgress(ended.stderr);
  throw new GitError(printableLines(said === '' ? (ended.shortMessage ?? '') : said));
}

/** Ends git and the programs that it started, at once: what they wrote is thrown away. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

const FIXED: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  GIT_ALLOW_PROTOCOL: 'http:https:ssh:git',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_LFS_SKIP_SMUDGE: '1',
};

function passedOn(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    PASSED.flatMap((name): [string, string][] => {
      const value = env[name];
      if (value === undefined) return [];
      // A name without a folder would be looked for in the checkout.
      return [[name, name === 'PATH' ? absoluteFolders(value) : value]];
    }),
  );
}

function agentOf({ agent }: GitAccess): Record<string, string> {
  return agent === undefined ? {} : { SSH_AUTH_SOCK: agent };
}

function absoluteFolders(path: string): string {
  return path
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .join(':');
}

/** Settings as git takes them from its environment, where other users cannot read them. */
function settings({ header }: GitAccess): Record<string, string> {
  const all = [
    ...Object.entries(SETTINGS),
    // A header must not follow a redirect to another host.
    ...(header === undefined
      ? []
      : [
          [`http.${header.origin}/.extraHeader`, header.header] as const,
          ['http.followRedirects', 'false'] as const,
        ]),
  ];
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(all.length) };
  for (const [index, [key, value]] of all.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}
