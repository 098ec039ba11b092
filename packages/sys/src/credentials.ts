import { readFileSync } from 'node:fs';
import { libcFunction } from './libc.ts';
import { errorCode } from './syscall-error.ts';

const setgroupsFunction = libcFunction('int setgroups(size_t size, const uint32_t *list)');
const setresgid = libcFunction('int setresgid(uint32_t real, uint32_t effective, uint32_t saved)');
const setresuid = libcFunction('int setresuid(uint32_t real, uint32_t effective, uint32_t saved)');
const prctl = libcFunction('int prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)');
// They give what was before, and fail without a word.
const setfsuid = libcFunction('uint32_t setfsuid(uint32_t uid)');
const setfsgid = libcFunction('uint32_t setfsgid(uint32_t gid)');
const capset = libcFunction('int capset(const uint32_t *header, const uint32_t *data)');

/** Who a process is. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/**
 * The capabilities of Linux, by number, in the kernel's order.
 * @see capabilities(7)
 */
export const CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

export type Capability = (typeof CAPABILITIES)[number];

const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const HIGHEST_POSSIBLE_CAPABILITY = 63;

/**
 * Becomes another user, for good, keeping at most the capabilities named: they are the bounding set, and permitted
 * and effective for uid 0; any other user has none. Inheritable and ambient sets are empty.
 * To be called on a process's main thread right before it becomes another program: capabilities belong to a thread.
 */
export function becomeUser({ uid, gid, groups }: Identity, capabilities: readonly Capability[]): void {
  dropFromBoundingSet(capabilities);
  prctl([PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0]);
  setgroupsFunction([groups.length, new Uint32Array(groups)]);
  setresgid([gid, gid, gid]);
  setresuid([uid, uid, uid]);
  const mask = uid === 0 ? capabilityMask(capabilities) : 0n;
  const low = Number(mask & 0xffffffffn);
  const high = Number(mask >> 32n);
  const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]);
  capset([header, new Uint32Array([low, low, 0, high, high, 0])]);
}

/**
 * Does something with files as another user would: of the calling thread alone, and nothing asynchronous. As the kernel
 * has it, /proc shows what processes have open to who they belong to, and not to root without CAP_SYS_PTRACE.
 */
export function asFileUser<T>({ uid, gid }: Omit<Identity, 'groups'>, work: () => T): T {
  const groupBefore = setfsgid([gid]);
  const userBefore = setfsuid([uid]);
  try {
    return work();
  } finally {
    setfsuid([userBefore]);
    setfsgid([groupBefore]);
  }
}

function dropFromBoundingSet(kept: readonly Capability[]): void {
  for (let number = 0; number <= HIGHEST_POSSIBLE_CAPABILITY; number++) {
    const name = CAPABILITIES[number];
    if (name !== undefined && kept.includes(name)) continue;
    try {
      prctl([PR_CAPBSET_DROP, number, 0, 0, 0]);
    } catch (error) {
      if (errorCode(error) === 'EINVAL') return; // past the last one that this kernel knows
      throw error;
    }
  }
}

/** Capabilities as the bits of `CapEff` in /proc/self/status. */
export function capabilityMask(capabilities: readonly Capability[]): bigint {
  return capabilities.reduce((mask, name) => mask | (1n << BigInt(CAPABILITIES.indexOf(name))), 0n);
}

/** The capabilities that this process may use. */
export function heldCapabilities(): ReadonlySet<Capability> {
  const [, effective = '0'] =
    /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  const mask = BigInt(`0x${effective}`);
  return new Set(CAPABILITIES.filter((_name, number) => ((mask >> BigInt(number)) & 1n) === 1n));
}
