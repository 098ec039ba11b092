import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Starts the bundle; in a checkout that was not built, the sources, which Node runs as they are. */
export async function start() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const { directory } = module.enableCompileCache(join(cache, 'caisson', 'node'));
  // What Caisson starts uses the cache too.
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
  const bundle = new URL('../dist/main.js', import.meta.url);
  await import(existsSync(bundle) ? bundle.href : new URL('../src/main.ts', import.meta.url).href);
}
