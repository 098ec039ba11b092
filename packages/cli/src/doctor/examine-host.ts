import { mkdir, statfs } from 'node:fs/promises';
import { release } from 'node:os';
import { formatPlatform, hostPlatform } from '@caisson/oci';
import {
  emulatedArchitectures,
  gzipProgram,
  inUserNamespace,
  isolationOf,
  NAMESPACES_HINT,
  probeRuntimes,
  RuntimeError,
  SandboxHost,
  type Isolation,
  type RuntimeName,
} from '@caisson/runtime';
import { filesOfHost } from './files-of-host.ts';
import type { NoNamespace } from '../rootless/user-namespace.ts';
import { openStore, type Session } from '@caisson/store';

/** Something that was looked at. */
export interface Finding {
  readonly state: 'ok' | 'note' | 'problem';
  readonly what: string;
  readonly says: string;
  /** What would make it better. */
  readonly fix?: string;
}

/** What a machine can do. */
export interface HostReport {
  /** The best isolation that steps get here; undefined where none can run. */
  readonly isolation: Isolation | undefined;
  readonly findings: readonly Finding[];
}

/** Tries what a build needs. */
export async function examineHost(root: string): Promise<HostReport> {
  using store = await openStore(root);
  if ((await statfs(root)).bavail === 0) return withoutSpace(root);
  await using session = store.session();
  const runtimes: { readonly runtime: RuntimeName; readonly finding: Finding }[] = [];
  for (const { runtime, path } of probeRuntimes()) {
    runtimes.push({ runtime, finding: await tryRuntime(runtime, path, session) });
  }
  const best = runtimes.find(({ finding }) => finding.state === 'ok')?.runtime;
  const isolation = best === undefined ? undefined : isolationOf(best);
  // What something else does as well is no problem.
  const found = runtimes.map(({ finding }) =>
    finding.state === 'problem' && best !== undefined ? { ...finding, state: 'note' as const } : finding,
  );
  const summary: Finding =
    isolation === undefined
      ? { state: 'problem', what: 'isolation', says: 'RUN steps cannot be run here' }
      : { state: 'ok', what: 'isolation', says: `${isolation} (RUN steps run in ${best})` };
  return {
    isolation,
    findings: [
      ...aboutPrograms(),
      await examineStore(root, isolation),
      ...(inUserNamespace() ? [IN_NAMESPACE] : []),
      ...found,
      await tryMaps(session),
      aboutEmulators(),
      summary,
    ],
  };
}

function withoutSpace(root: string): HostReport {
  const says = `${root}: no space left on the disk`;
  const fix = 'caisson prune gives back what no named image needs';
  return {
    isolation: undefined,
    findings: [
      ...aboutPrograms(),
      { state: 'problem', what: 'store', says, fix },
      { state: 'problem', what: 'isolation', says: 'not tried: nothing can be built without space' },
    ],
  };
}

const IN_NAMESPACE: Finding = {
  state: 'ok',
  what: 'user namespace',
  says: 'works: builds are those of root of a user namespace, with the subordinate ids of this user',
};

/** What there is to say to a user who cannot be root, not even of a user namespace. */
export async function examineWithoutIds(root: string, { message, hint }: NoNamespace): Promise<HostReport> {
  using _store = await openStore(root);
  return {
    isolation: undefined,
    findings: [
      ...aboutPrograms(),
      await examineStore(root, undefined),
      { state: 'problem', what: 'user namespace', says: message, fix: hint },
      { state: 'problem', what: 'isolation', says: 'nothing can be built without owners for files' },
    ],
  };
}

function aboutPrograms(): readonly Finding[] {
  return [
    { state: 'ok', what: 'kernel', says: release() },
    { state: 'ok', what: 'node', says: process.versions.node },
    aboutGzip(),
  ];
}

function aboutGzip(): Finding {
  const path = gzipProgram();
  if (path !== undefined) return { state: 'ok', what: 'igzip', says: `decompresses large layers (${path})` };
  return {
    state: 'note',
    what: 'igzip',
    says: 'not installed: Node decompresses large layers itself',
    fix: 'apt-get install isal: images with large layers are pulled faster then',
  };
}

function aboutEmulators(): Finding {
  const own = formatPlatform(hostPlatform());
  const others = emulatedArchitectures().map((architecture) => `linux/${architecture}`);
  const says = `RUN steps can be for ${own}${others.length === 0 ? '' : `, and in emulators for ${others.join(', ')}`}`;
  const fix = 'apt-get install qemu-user-static binfmt-support: RUN steps for other platforms run then';
  return { state: 'ok', what: 'platforms', says, ...(others.length === 0 ? { fix } : {}) };
}

const INSTALL: Readonly<Record<RuntimeName, string>> = {
  crun: 'apt-get install crun: steps run under a seccomp filter then',
  runc: 'apt-get install runc; crun alone is enough',
  namespaces: 'apt-get install util-linux (unshare, setpriv)',
  chroot: 'nothing is to be installed for it',
};

/** Runs a command in a sandbox on the files of this machine, read-only underneath. */
async function tryRuntime(
  runtime: RuntimeName,
  path: string | undefined,
  session: Session,
): Promise<Finding> {
  if (path === undefined) {
    const state = runtime === 'namespaces' ? 'problem' : 'note';
    return { state, what: runtime, says: 'not installed', fix: INSTALL[runtime] };
  }
  const hostFolder = session.newPath('host');
  const folder = session.newPath('upper');
  for (const each of [hostFolder, folder]) await mkdir(each, { mode: 0o700 });
  const files = filesOfHost(() => session.newPath('root'));
  await using host = await SandboxHost.start({ folder: hostFolder, runtimes: [runtime] });
  try {
    if ((await host.rootKind()) === 'copied')
      return { state: 'ok', what: runtime, says: 'works: steps run in a copy of their files' };
    const { exitCode } = await host.run({
      layers: { lowers: () => Promise.resolve([files.root]), files: () => Promise.resolve([]) },
      folder,
      spec: {
        args: [files.program],
        env: [],
        cwd: '/',
        user: '',
        network: 'host',
        mounts: files.mounts,
        stdio: 'stream',
        stdin: false,
      },
    });
    if (exitCode === 0) return { state: 'ok', what: runtime, says: `works (${path})` };
    return { state: 'problem', what: runtime, says: `a command in it ended with exit code ${exitCode}` };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return runtime === 'namespaces'
      ? { state: 'problem', what: runtime, says: error.message, fix: NAMESPACES_HINT }
      : { state: 'note', what: runtime, says: error.message };
  }
}

/** Tries to mount a layer as the tar that it is. */
async function tryMaps(session: Session): Promise<Finding> {
  const [hostFolder, folder] = [session.newPath('host'), session.newPath('probe')];
  for (const each of [hostFolder, folder]) await mkdir(each, { mode: 0o700 });
  await using host = await SandboxHost.start({ folder: hostFolder, runtimes: ['namespaces'] });
  try {
    const why = await host.probeMaps(folder);
    if (why === undefined)
      return { state: 'ok', what: 'layer maps', says: 'work: layers are mounted as the tars that they are' };
    return { state: 'note', what: 'layer maps', says: `layers are unpacked to be mounted: ${why}` };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    return { state: 'note', what: 'layer maps', says: error.message };
  }
}

const OVERLAY = 0x794c7630;
const NFS = 0x6969;
const FUSE = 0x65735546;
const TMPFS = 0x01021994;

async function examineStore(root: string, isolation: HostReport['isolation']): Promise<Finding> {
  const { type, bavail, bsize } = await statfs(root);
  const free = `${Math.floor((bavail * bsize) / 1e9)} GB free`;
  // Nothing is mounted there: any disk will do.
  if (isolation === 'chroot' && type !== TMPFS)
    return { state: 'ok', what: 'store', says: `${root} (${free})` };
  switch (type) {
    case OVERLAY:
    case NFS:
    case FUSE:
      return {
        state: 'note',
        what: 'store',
        says: `${root} lies on ${type === OVERLAY ? 'overlayfs' : type === NFS ? 'NFS' : 'FUSE'}: what RUN steps change is kept in memory until it is committed (${free})`,
        fix: 'a folder on a disk is better: CAISSON_ROOT, or a volume of the container',
      };
    case TMPFS:
      return { state: 'note', what: 'store', says: `${root} lies in memory: it is gone after a restart` };
    default:
      return { state: 'ok', what: 'store', says: `${root} (${free})` };
  }
}
