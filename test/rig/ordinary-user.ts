import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { inject } from 'vitest';
import { CAISSON, type CaissonOptions, type Ended } from './caisson.ts';
import { mirrorDockerHub } from './mirror.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Where the user sees the checkout, which may lie where only root gets to. */
const SEEN_AT = '/mnt';

/** What the users of tests are called; the process that made them comes behind it. */
const PREFIX = 'caisson-test-';

/** A user without rights of any kind, but with subordinate ids. */
export interface OrdinaryUser extends AsyncDisposable {
  readonly name: string;
  readonly uid: number;
  /** Files of the user's: a home, and a context that commands are run in. */
  readonly folder: string;
  readonly home: string;
  readonly context: string;
  /** A path in the checkout, as the user sees it. */
  seen(path: string): string;
  /** Gives the user a file or folder, with all that is in it. */
  own(path: string): void;
  /** The words that start a program as this user. */
  as(...command: readonly string[]): [string, string[]];
  /** Runs Caisson in the context, with the user's own store. */
  run(args: readonly string[], options?: Partial<CaissonOptions>): Promise<Ended>;
  /** The same; it must end well. */
  ok(args: readonly string[], options?: Partial<CaissonOptions>): Promise<Ended>;
}

let users = 0;

/** Makes a user for as long as some tests take. @param kind users of the system get no subordinate ids */
export async function makeUser(kind: 'person' | 'system'): Promise<OrdinaryUser> {
  await removeLeftUsers();
  users++;
  const name = `${PREFIX}${process.pid}-${users}`;
  const system = kind === 'system' ? ['--system'] : [];
  await execa('useradd', [
    ...system,
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/bin/sh',
    name,
  ]);
  const uid = Number((await execa('id', ['-u', name])).stdout);
  const parent = join(CHECKOUT, '.caisson', 'test');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'user-'));
  const [home, context] = [join(folder, 'home'), join(folder, 'context')];
  mkdirSync(context);
  mirrorDockerHub(home, inject('registry'));
  const seen = (path: string): string =>
    path.startsWith(CHECKOUT) ? join(SEEN_AT, relative(CHECKOUT, path)) : path;
  const own = (path: string): void => ownAll(path, uid);
  own(folder);
  const become = ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--init-groups'];
  const bind = 'mount --bind "$1" "$2"; shift 2; exec "$@"';
  const elsewhere = ['--mount', '--propagation', 'private', 'sh', '-ec', bind, 'sh', CHECKOUT, SEEN_AT];
  const as = (...command: readonly string[]): [string, string[]] => [
    'unshare',
    [...elsewhere, ...become, 'env', '--chdir', seen(context), ...command],
  ];
  const run: OrdinaryUser['run'] = async (args, options = {}) => {
    const ended = await execa(...as(seen(process.execPath), seen(CAISSON), ...args), {
      env: {
        PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
        HOME: seen(home),
        USER: name,
        ...options.env,
      },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
      ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    });
    return { exitCode: ended.exitCode ?? -1, stdout: ended.stdout, stderr: ended.stderr };
  };
  return {
    name,
    uid,
    folder,
    home,
    context,
    seen,
    own,
    as,
    run,
    async ok(args, options) {
      const ended = await run(args, options);
      if (ended.exitCode === 0) return ended;
      throw new Error(
        `caisson ${args.join(' ')} ended with ${ended.exitCode}:\n${ended.stderr}${ended.stdout}`,
      );
    },
    async [Symbol.asyncDispose]() {
      await execa('rm', ['-rf', folder]);
      await execa('userdel', [name]);
    },
  };
}

function ownAll(path: string, uid: number): void {
  chownSync(path, uid, uid);
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true }))
    lchownSync(join(entry.parentPath, entry.name), uid, uid);
}

/** Removes the users of processes that were killed. */
async function removeLeftUsers(): Promise<void> {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = ''] = line.split(':');
    if (!name.startsWith(PREFIX)) continue;
    const pid = name.slice(PREFIX.length).split('-')[0] ?? '';
    if (!existsSync(`/proc/${pid}`)) await execa('userdel', [name], { reject: false });
  }
}
