import { findProgram } from '@caisson/sys';
import type { RuntimeName } from './sandbox-spec.ts';

/** The runtimes that Caisson can use, best first: crun starts a sandbox in a third of the time that runc takes. */
const ALL: readonly RuntimeName[] = ['crun', 'runc', 'namespaces', 'chroot'];

/** What each starts. */
const PROGRAMS: Readonly<Record<Exclude<RuntimeName, 'chroot'>, string>> = {
  crun: 'crun',
  runc: 'runc',
  namespaces: 'unshare',
};

/** Whether a runtime is installed. */
export interface RuntimeProbe {
  readonly runtime: RuntimeName;
  /** Where its program lies; undefined where it does not. */
  readonly path: string | undefined;
}

/**
 * Looks for each runtime in the PATH. Whether one works here shows when it makes a sandbox; one that cannot is passed
 * over for the next.
 */
export function probeRuntimes(path: string = process.env['PATH'] ?? ''): RuntimeProbe[] {
  return ALL.map((runtime) => ({
    runtime,
    path: runtime === 'chroot' ? process.execPath : findProgram(PROGRAMS[runtime], path),
  }));
}

/** The runtimes to try, in this order. The last two need nothing that is not there anyway. */
export function availableRuntimes(): RuntimeName[] {
  return probeRuntimes()
    .filter((probe) => probe.path !== undefined || probe.runtime === 'namespaces')
    .map((probe) => probe.runtime);
}
