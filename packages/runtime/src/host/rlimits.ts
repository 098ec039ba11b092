import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource, Ulimit } from '../limits.ts';
import { RuntimeError } from '../errors.ts';

const CAP_SYS_RESOURCE = 24n;

/** The names of /proc/self/limits. */
const LABELS: Readonly<Record<Resource, string>> = {
  cpu: 'Max cpu time',
  fsize: 'Max file size',
  data: 'Max data size',
  stack: 'Max stack size',
  core: 'Max core file size',
  rss: 'Max resident set',
  nproc: 'Max processes',
  nofile: 'Max open files',
  memlock: 'Max locked memory',
  as: 'Max address space',
  locks: 'Max file locks',
  sigpending: 'Max pending signals',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
};

/**
 * Makes sure that limits can be set: none may be above what this process has, without the right to raise it.
 * @throws RuntimeError `unsupported`
 */
export function checkUlimits(ulimits: readonly Ulimit[], proc = '/proc/self'): void {
  if (ulimits.length === 0 || mayRaise(readFileSync(join(proc, 'status'), 'utf8'))) return;
  const limits = readFileSync(join(proc, 'limits'), 'utf8');
  for (const { resource, hard } of ulimits) {
    const [, own = ''] = new RegExp(`^${LABELS[resource]} +\\S+ +(\\S+)`, 'm').exec(limits) ?? [];
    if (own === 'unlimited' || own === '' || (hard !== -1 && hard <= Number(own))) continue;
    const wanted = hard === -1 ? 'no limit' : String(hard);
    throw new RuntimeError('unsupported', `the limit ${resource} cannot be raised to ${wanted} here`, {
      hint: `${own} is the most that this process may have, without CAP_SYS_RESOURCE`,
    });
  }
}

function mayRaise(status: string): boolean {
  const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(status) ?? [];
  return ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

/** Limits as the config of an OCI runtime has them. */
export function ociRlimits(ulimits: readonly Ulimit[]): object[] {
  return ulimits.map(({ resource, soft, hard }) => ({
    type: `RLIMIT_${resource.toUpperCase()}`,
    soft: asUnsigned(soft),
    hard: asUnsigned(hard),
  }));
}

declare global {
  interface JSON {
    /** A number that JavaScript has no number for: in Node since version 21. */
    rawJSON(text: string): unknown;
  }
}

/** Without limit is the highest number of 64 bits. */
function asUnsigned(limit: number): unknown {
  return limit === -1 ? JSON.rawJSON(String(2n ** 64n - 1n)) : limit;
}
