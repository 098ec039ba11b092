import { existsSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Starts the bundle; in a checkout that was not built, the sources, which Node runs as they are. */
export async function start() {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'caisson', 'node');
  if (isThere(cache)) {
    const { directory } = module.enableCompileCache(cache);
    // What Caisson starts uses the cache too.
    if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
  }
  const bundle = new URL('../dist/main.js', import.meta.url);
  await import(existsSync(bundle) ? bundle.href : new URL('../src/main.ts', import.meta.url).href);
}

/** Makes a folder with those that it lies in. Node itself tries for ever where the kernel lets none be made, as in /proc. */
function isThere(folder) {
  if (existsSync(folder)) return true;
  if (folder === dirname(folder) || !isThere(dirname(folder))) return false;
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return existsSync(folder);
  }
}
