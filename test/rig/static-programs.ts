import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from './tools.ts';
import type { World } from './world.ts';

/** The beginning of a Dockerfile whose stage `base` has a shell and the usual programs, made from nothing. */
export const BUSYBOX_BASE = `FROM scratch AS base
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
`;

/** Puts the static busybox of Debian into the context. */
export function addBusybox(world: World): void {
  const path = findTool('busybox');
  if (path === undefined) throw new Error('busybox-static is not installed');
  copyFileSync(path, join(world.context, 'busybox'));
  chmodSync(join(world.context, 'busybox'), 0o755);
}
