import { statSync } from 'node:fs';
import { MASKED_PATHS, READ_ONLY_PATHS, SANDBOX_HOSTNAME, STEP_CAPABILITIES } from '../profile.ts';
import { seccompProfile } from '../seccomp.ts';
import { ociRlimits } from './rlimits.ts';
import type { BindMount } from '../sandbox-spec.ts';
import { consoleSize } from './console-size.ts';
import type { PreparedSandbox } from './prepared-sandbox.ts';

/**
 * The config of a sandbox, for an OCI runtime. Every option in it comes from here: nothing that a Dockerfile or an
 * image says is passed on as one.
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 */
export function ociConfig(sandbox: PreparedSandbox): object {
  const { spec, account, env, executable, systemMounts, binds } = sandbox;
  const ulimits = spec.limits?.ulimits ?? [];
  const capabilities = STEP_CAPABILITIES.map((name) => `CAP_${name}`);
  return {
    ociVersion: '1.0.2',
    process: {
      ...(spec.stdio === 'terminal' ? { terminal: true, ...consoleSize() } : { terminal: false }),
      user: { uid: account.uid, gid: account.gid, additionalGids: account.groups },
      args: [executable, ...spec.args.slice(1)],
      env,
      cwd: spec.cwd,
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
        inheritable: [],
        ambient: [],
      },
      ...(ulimits.length === 0 ? {} : { rlimits: ociRlimits(ulimits) }),
      noNewPrivileges: false,
    },
    root: { path: sandbox.root, readonly: false },
    hostname: spec.hostname ?? SANDBOX_HOSTNAME,
    mounts: [
      ...systemMounts.map(({ target, type, options }) => ({
        destination: target,
        type,
        source: type,
        options,
      })),
      ...binds.map(ociBind),
    ],
    linux: {
      namespaces: [
        { type: 'mount' },
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'uts' },
        ...(spec.network === 'none' ? [{ type: 'network' }] : []),
      ],
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READ_ONLY_PATHS,
      seccomp: seccompProfile(),
    },
  };
}

function ociBind({ source, target, isReadOnly }: BindMount): object {
  const isDevice = statSync(source).isCharacterDevice();
  const limits = isDevice ? ['nosuid', 'noexec'] : ['nosuid', 'nodev'];
  return {
    destination: target,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', isReadOnly ? 'ro' : 'rw', ...limits],
  };
}
