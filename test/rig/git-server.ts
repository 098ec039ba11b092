import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { execa } from 'execa';

/** A real git server (git http-backend) on a free port of this machine. */
export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** What it was asked since it was last told to forget: method, path, authorization. */
  readonly asked: string[];
  /** Where repositories lie. */
  readonly folder: string;
  /** Makes a repository. */
  repository(name: string): Promise<GitRepository>;
}

/** A repository of a server. */
export interface GitRepository {
  readonly url: string;
  /** Its bare folder. */
  readonly folder: string;
  /** A checkout of it. */
  readonly work: string;
  /** Runs git in the checkout. @returns what it prints */
  git(...args: string[]): Promise<string>;
  /** Commits files on the branch that is checked out, and publishes everything. @returns the commit */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
  /** Publishes all branches and tags. */
  publish(): Promise<void>;
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_AUTHOR_DATE: '2001-02-03T04:05:06Z',
  GIT_COMMITTER_NAME: 'test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
  GIT_COMMITTER_DATE: '2001-02-03T04:05:06Z',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/**
 * Starts a server.
 * @param parent where its repositories lie
 * @param options `authorization`: what requests must bring along; `redirect`: where everything is sent to;
 *   `isDumb`: it knows nothing of git and gives files
 */
export async function startGitServer(
  parent: string,
  options: { readonly authorization?: string; readonly redirect?: string; readonly isDumb?: boolean } = {},
): Promise<GitServer> {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'git-'));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    asked.push(`${request.method ?? ''} ${request.url ?? ''} ${authorization}`.trim());
    if (options.redirect !== undefined) {
      response.writeHead(302, { location: `${options.redirect}${request.url ?? ''}` }).end();
    } else if (options.authorization !== undefined && options.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    } else if (options.isDumb === true) {
      giveFile(folder, request, response);
    } else {
      answer(folder, request, response).catch(() => response.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return {
    url,
    asked,
    folder,
    repository: (name) => makeRepository(folder, url, name),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function run(cwd: string, args: readonly string[]): Promise<string> {
  return (await execa('git', args, { cwd, env: IDENTITY, stdin: 'ignore' })).stdout;
}

async function makeRepository(parent: string, url: string, name: string): Promise<GitRepository> {
  const folder = join(parent, `${name}.git`);
  const work = join(parent, `${name}.work`);
  await run(parent, ['init', '--quiet', '--bare', '-b', 'main', folder]);
  await run(parent, ['init', '--quiet', '-b', 'main', work]);
  await run(work, ['remote', 'add', 'origin', folder]);
  const publish = async (): Promise<void> => {
    await run(work, ['push', '--quiet', '--all', 'origin']);
    await run(work, ['push', '--quiet', '--tags', 'origin']);
  };
  return {
    url: `${url}/${name}.git`,
    folder,
    work,
    git: (...args) => run(work, args),
    publish,
    async commit(files) {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        writeFileSync(join(work, path), content);
      }
      await run(work, ['add', '--all', '.']);
      await run(work, ['commit', '--quiet', '--allow-empty', '-m', 'a commit']);
      await publish();
      return run(work, ['rev-parse', 'HEAD']);
    },
  };
}

/** @see https://git-scm.com/docs/http-protocol, "Dumb Clients" */
function giveFile(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const path = join(folder, pathname);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) response.end(readFileSync(path));
  else response.writeHead(404).end();
}

/** @see https://git-scm.com/docs/git-http-backend and RFC 3875 */
async function answer(folder: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...process.env,
      ...IDENTITY,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      HTTP_GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {}); // it may have read all that it wants
  const output = await buffer(child.stdout);
  const end = output.indexOf('\r\n\r\n');
  const headers = output.subarray(0, end).toString('latin1').split('\r\n');
  let status = 200;
  for (const header of headers) {
    const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(header) ?? [];
    if (name === 'Status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status).end(output.subarray(end + 4));
}
