/** Resources that a process may be limited in, by the names of ulimit(1) and docker, with their numbers for the kernel. */
export const RESOURCES = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

/** The name of such a resource. */
export type Resource = keyof typeof RESOURCES;

/** Whether a name is that of a resource. */
export function isResource(name: string): name is Resource {
  return Object.hasOwn(RESOURCES, name);
}

/** What a process and its children may have of a resource, in the unit of setrlimit(2); -1 is without limit. */
export interface Ulimit {
  readonly resource: Resource;
  readonly soft: number;
  readonly hard: number;
}

/** Whether something is such a limit: whole numbers, the soft one not above the hard one. */
export function isUlimit(value: unknown): value is Ulimit {
  if (typeof value !== 'object' || value === null) return false;
  if (!('resource' in value) || !('soft' in value) || !('hard' in value)) return false;
  const { resource, soft, hard } = value;
  if (typeof resource !== 'string' || !isResource(resource) || !isBound(soft) || !isBound(hard)) return false;
  return hard === -1 || (soft !== -1 && soft <= hard);
}

function isBound(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= -1;
}

/** What a sandbox may use. */
export interface SandboxLimits {
  /** In bytes, swap included. */
  readonly memory?: number;
  /** How many processors' time: 1.5 is one and a half. */
  readonly cpus?: number;
  /** The size of /dev/shm in bytes. */
  readonly shmSize?: number;
  readonly ulimits?: readonly Ulimit[];
}

/** A name that a sandbox finds in /etc/hosts. */
export interface ExtraHost {
  readonly name: string;
  readonly address: string;
}
