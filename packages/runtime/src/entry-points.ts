import { fileURLToPath } from 'node:url';

/**
 * Programs that Caisson starts as processes or threads of their own. In the source tree they are TypeScript, which
 * Node runs as it is; in what is published they lie beside the bundle.
 */
function entryPoint(source: string, published: string): string {
  const isSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(isSource ? source : published, import.meta.url));
}

export const SANDBOX_HOST = entryPoint('./host/main.ts', './sandbox-host.js');
export const COMMIT_WORKER = entryPoint('./host/commit-worker.ts', './commit-worker.js');
export const NAMESPACES_INIT = entryPoint('./init/main.ts', './namespaces-init.js');
