import { fileURLToPath } from 'node:url';

/**
 * Where a program lies that Caisson starts as a process or thread of its own. In the source tree it is TypeScript, which
 * Node runs as it is; in what is published it lies beside the bundle.
 * @param url `import.meta.url` of the file that `source` is relative to
 */
export function programFile(url: string, source: string, published: string): string {
  return fileURLToPath(new URL(url.endsWith('.ts') ? source : published, url));
}
