import { cString, libcFunction, type Path } from './libc.ts';
import { systemCall } from './system-call.ts';

const mountFunction = libcFunction(
  'int mount(const void *source, const void *target, const void *type, uint64_t flags, const void *data)',
);
const umount2 = libcFunction('int umount2(const void *target, int flags)');
const pivotRootCall = systemCall('pivot_root', 'const void *newRoot, const void *putOld');

/** Flags of mount(2). */
export const MOUNT = {
  readOnly: 0x1,
  noSuid: 0x2,
  noDev: 0x4,
  noExec: 0x8,
  remount: 0x20,
  bind: 0x1000,
  recursive: 0x4000,
  private: 0x40000,
  strictAtime: 0x1000000,
} as const;

/** One mount(2). */
export interface MountRequest {
  readonly source?: Path;
  readonly target: Path;
  readonly type?: string;
  /** A sum of {@link MOUNT}. */
  readonly flags?: number;
  /** The options of the file system, at most a page. */
  readonly data?: string;
}

/** Mounts a file system, in the mount namespace of this process. */
export function mount({ source = 'none', target, type, flags = 0, data }: MountRequest): void {
  mountFunction(
    [
      cString(source),
      cString(target),
      type === undefined ? null : cString(type),
      flags,
      data === undefined ? null : cString(data),
    ],
    target,
  );
}

const MNT_DETACH = 2;

/** Unmounts; `detach` takes the mount out of sight at once and ends it when its last user is gone. */
export function unmount(target: Path, how: 'now' | 'detach' = 'now'): void {
  umount2([cString(target), how === 'detach' ? MNT_DETACH : 0], target);
}

/** Makes a mount the root of this mount namespace, and puts the old root on `putOld`. */
export function pivotRoot(newRoot: Path, putOld: Path): void {
  pivotRootCall([cString(newRoot), cString(putOld)], newRoot);
}
