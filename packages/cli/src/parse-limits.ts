import { isIP } from 'node:net';
import { suggest } from '@caisson/parser';
import {
  isResource,
  isUlimit,
  RESOURCES,
  type ExtraHost,
  type SandboxLimits,
  type Ulimit,
} from '@caisson/runtime';
import { parseSize } from '@caisson/store';
import { UsageError } from './usage-error.ts';

/** The flags that limit what a step may use, as they were given. */
export interface LimitFlags {
  readonly memory?: string;
  readonly cpus?: string;
  readonly shmSize?: string;
  readonly ulimit: readonly string[];
}

/** What a step may use. @throws UsageError */
export function parseLimits({ memory, cpus, shmSize, ulimit }: LimitFlags): SandboxLimits {
  return {
    ...(memory === undefined ? {} : { memory: parseMemory(memory) }),
    ...(cpus === undefined ? {} : { cpus: parseCpus(cpus) }),
    ...(shmSize === undefined ? {} : { shmSize: parseBytes('--shm-size', shmSize) }),
    ...(ulimit.length === 0 ? {} : { ulimits: ulimit.map(parseUlimit) }),
  };
}

/** A size in bytes, as docker takes it: `64m`, `1.5g`, `512MiB`. @throws UsageError */
export function parseBytes(flag: string, text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new UsageError(`${flag} ${JSON.stringify(text)} is no size`, {
    expected: 'a number above 0 with b, k, m or g, for example 64m',
  });
}

/** The least with which a sandbox comes up. */
const LEAST_MEMORY = 6 * 2 ** 20;

function parseMemory(text: string): number {
  const bytes = parseBytes('--memory', text);
  if (bytes >= LEAST_MEMORY) return bytes;
  throw new UsageError(`--memory ${JSON.stringify(text)} is too little`, { expected: '6m or more' });
}

function parseCpus(text: string): number {
  if (/^\d{1,4}(?:\.\d+)?$/.test(text) && Number(text) >= 0.01) return Number(text);
  throw new UsageError(`--cpus ${JSON.stringify(text)} is no number of processors`, {
    expected: 'a number from 0.01, for example 1.5',
  });
}

const ULIMIT_FORM = 'NAME=SOFT[:HARD], for example nofile=1024:2048; -1 is without limit';

/** `--ulimit`. @throws UsageError */
export function parseUlimit(text: string): Ulimit {
  const [, name = '', softText = '', hardText = softText] =
    /^(\w+)=(-1|\d{1,15})(?::(-1|\d{1,15}))?$/.exec(text) ?? [];
  if (name === '')
    throw new UsageError(`--ulimit ${JSON.stringify(text)} is no limit`, { expected: ULIMIT_FORM });
  if (!isResource(name)) {
    const near = suggest(name, Object.keys(RESOURCES));
    throw new UsageError(`--ulimit ${JSON.stringify(name)} is not known`, {
      expected: Object.keys(RESOURCES).join(', '),
      ...(near === undefined ? {} : { suggestion: near }),
    });
  }
  const limit = { resource: name, soft: Number(softText), hard: Number(hardText) };
  if (isUlimit(limit)) return limit;
  throw new UsageError(`--ulimit ${JSON.stringify(text)}: the soft limit is above the hard one`, {
    expected: ULIMIT_FORM,
  });
}

/**
 * `--add-host`: `NAME:ADDRESS` or `NAME=ADDRESS`, an IPv6 address in brackets or not. `host-gateway` is this machine,
 * whose network the steps are on.
 * @throws UsageError
 */
export function parseHost(text: string): ExtraHost {
  const at = /[:=]/.exec(text)?.index ?? text.length;
  const name = text.slice(0, at);
  const written = text.slice(at + 1);
  const address = written === 'host-gateway' ? '127.0.0.1' : written.replace(/^\[(.*)\]$/, '$1');
  if (/^[\w.-]+$/.test(name) && isIP(address) !== 0) return { name, address };
  throw new UsageError(`--add-host ${JSON.stringify(text)} is no name with an address`, {
    expected: 'NAME:ADDRESS, for example db:10.0.0.2, or NAME:host-gateway',
  });
}
