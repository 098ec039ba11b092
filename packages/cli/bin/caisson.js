#!/usr/bin/env node
// Plain JavaScript that any Node can read: the rest of Caisson needs a newer one, and says so here.
const wanted = 24;
const major = Number(process.versions.node.split('.')[0]);
if (major < wanted) {
  process.stderr.write(
    `caisson needs Node ${wanted} or newer; this is ${process.version} (npx -p node@${wanted} -p caisson caisson ... brings its own)\n`,
  );
  process.exit(1);
}
// Compressing is done by Node's own threads, of which there are four unless this is said before the first is needed.
const { availableParallelism } = await import('node:os');
if (process.env.UV_THREADPOOL_SIZE === undefined)
  process.env.UV_THREADPOOL_SIZE = String(Math.max(4, availableParallelism()));
const { start } = await import('./start.js');
await start();
