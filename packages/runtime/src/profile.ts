import type { Capability } from '@caisson/sys';

/**
 * The capabilities of a step run as root: those that docker gives. Package managers need most of them.
 * docs/security.md says what each rung holds.
 */
export const STEP_CAPABILITIES: readonly Capability[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
];

/** Paths that tell of the host and are hidden: the union of what the known builders hide. */
export const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/fs/selinux',
];

/** Paths through which the host could be changed. */
export const READ_ONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** A file system that every sandbox has. */
export interface SystemMount {
  readonly target: string;
  readonly type: 'proc' | 'tmpfs' | 'devpts' | 'mqueue' | 'sysfs';
  /** As an OCI runtime takes them. */
  readonly options: readonly string[];
}

/**
 * The file systems of a sandbox, in the order in which they are mounted. /dev is `nodev`: the devices in it are bind
 * mounts, so that a node that a step makes there opens no device of the host, without a device cgroup.
 */
export const SYSTEM_MOUNTS: readonly SystemMount[] = [
  { target: '/proc', type: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    target: '/dev',
    type: 'tmpfs',
    options: ['nosuid', 'nodev', 'noexec', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    target: '/dev/pts',
    type: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    target: '/dev/shm',
    type: 'tmpfs',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
  },
  { target: '/dev/mqueue', type: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { target: '/sys', type: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
];

/** The devices of a sandbox. */
export const DEVICES: readonly string[] = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

/** The links in /dev, by name. */
export const DEVICE_LINKS: Readonly<Record<string, string>> = {
  fd: '/proc/self/fd',
  stdin: '/proc/self/fd/0',
  stdout: '/proc/self/fd/1',
  stderr: '/proc/self/fd/2',
  core: '/proc/kcore',
  ptmx: 'pts/ptmx',
};

/** The host name of a step's sandbox: what docker's builder calls it, since a step may write it down. */
export const SANDBOX_HOSTNAME = 'buildkitsandbox';
