import type { execa } from 'execa';
import { heldCapabilities, reachedLimit } from '@caisson/sys';
import { SANDBOX_HOST, START_MS } from './entry-points.ts';
import { NAMESPACES_HINT, RuntimeError, THREADS_HINT } from './errors.ts';
import type { RootKind } from './host-protocol.ts';
import type { PassedStreams } from './passed-streams.ts';
import type { RuntimeName } from './sandbox-spec.ts';

/** How to start a host. */
export interface HostOptions {
  /** An empty folder of the store's for what it needs. */
  readonly folder: string;
  /** What may make its sandboxes: a host without namespaces is started for `chroot`, where no other one comes up. */
  readonly runtimes: readonly RuntimeName[];
  /** Whether sandboxes may have the standard streams of this process, or which descriptors in place of those. */
  readonly stdio?: 'ignore' | 'inherit' | PassedStreams;
  /** Whether layers will be made of what sandboxes leave: what that takes is loaded before the first one ends. */
  readonly commits?: boolean;
}

/** The process that is a host. */
export type Subprocess = ReturnType<typeof startHost>;

/*
 * setpriv lets the kernel kill unshare when the builder dies, and --kill-child the host when unshare does: the first
 * process of a pid namespace takes everything in it along. All mounts are private to the namespace. A host that copies
 * has nothing of this: it sees that its channel closes.
 */
export function startHost(
  start: typeof execa,
  kind: RootKind,
  { folder, stdio = 'ignore', commits = false }: HostOptions,
) {
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const host = [process.execPath, SANDBOX_HOST, folder, kind, ...(commits ? ['commits'] : [])];
  const [program = '', ...args] =
    kind === 'copied' ? host : ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...namespaces, ...host];
  return start(program, args, {
    ipc: true,
    serialization: 'advanced',
    buffer: { ipc: false }, // the output of steps passes here
    stdio: stdioOf(stdio),
    detached: true,
    reject: false,
    cleanup: false,
    cwd: '/',
  });
}

/** PASSED_STREAMS says where what is passed comes to lie. */
function stdioOf(stdio: 'ignore' | 'inherit' | PassedStreams): HostStdio {
  if (stdio === 'inherit') return ['inherit', 'inherit', 'inherit'];
  if (stdio === 'ignore') return ['ignore', 'ignore', 'pipe'];
  const passed = [stdio.input, stdio.output, stdio.error].filter(isDescriptor);
  return ['ignore', 'ignore', 'pipe', ...passed];
}

type Descriptor = 3 | 4 | 5 | 6 | 7 | 8 | 9;
type HostStdio = ['ignore' | 'inherit', 'ignore' | 'inherit', 'inherit' | 'pipe', ...Descriptor[]];

/** The types of execa know descriptors up to 9; there are more. */
function isDescriptor(number: number): number is Descriptor {
  return number > 2;
}

/** What a host ended of that nobody had asked to end. */
export function hostDied({ code, cause, stderr, shortMessage }: Awaited<Subprocess>): RuntimeError {
  if (code === 'ENOENT') {
    return new RuntimeError('missing-tool', 'setpriv and unshare of util-linux are needed to run steps', {
      hint: 'apt-get install util-linux',
    });
  }
  const limit = reachedLimit(cause);
  if (limit !== undefined) return new RuntimeError('host-died', limit.message, { hint: limit.hint });
  if (
    typeof stderr === 'string' &&
    /^unshare: .*: (Operation not permitted|Permission denied)$/m.test(stderr)
  ) {
    return mayNotMount();
  }
  const said =
    typeof stderr === 'string' && stderr !== '' ? `: ${stderr.trim().split('\n').slice(-3).join(' | ')}` : '';
  return new RuntimeError(
    'host-died',
    `the process that runs the sandboxes ended (${shortMessage ?? 'no reason given'})${said}`,
  );
}

/** What is said of a host that does not come up. */
export function hostStuck(): RuntimeError {
  const message = `the process that runs the sandboxes did not come up in ${START_MS / 1000} seconds`;
  return new RuntimeError('host-died', message, { hint: THREADS_HINT });
}

/** Whether this process may mount anything at all. */
export function mayMount(): boolean {
  return heldCapabilities().has('SYS_ADMIN');
}

/** Why nothing can be mounted here. */
export function mayNotMount(): RuntimeError {
  const message = 'steps need namespaces of their own, and this process may not make any';
  return new RuntimeError('unsupported', message, { hint: NAMESPACES_HINT });
}
