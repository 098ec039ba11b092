import { programFile } from '@caisson/layer';

export const SANDBOX_HOST = programFile(import.meta.url, './host/main.ts', './sandbox-host.js');
export const COMMIT_WORKER = programFile(import.meta.url, './host/commit-worker.ts', './commit-worker.js');
export const NAMESPACES_INIT = programFile(import.meta.url, './init/main.ts', './namespaces-init.js');
export const CHROOT_INIT = programFile(import.meta.url, './init/chroot.ts', './chroot-init.js');
export const ROOT_WORKER = programFile(import.meta.url, './host/chroot/root-worker.ts', './root-worker.js');

/** How long one of them may take to come up, in milliseconds: on a busy machine a Node takes seconds. */
export const START_MS = 60_000;
