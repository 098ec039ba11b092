#!/usr/bin/env node
// Plain JavaScript that any Node can read: the rest of Caisson needs a newer one, and says so here.
import { complaint, remedy } from './needed-node.cjs';
if (complaint !== undefined) {
  process.stderr.write(`${complaint} (${remedy})\n`);
  process.exit(1);
}
// Compressing is done by Node's own threads, of which there are four unless this is said before the first is needed.
const { availableParallelism } = await import('node:os');
if (process.env.UV_THREADPOOL_SIZE === undefined)
  process.env.UV_THREADPOOL_SIZE = String(Math.max(4, availableParallelism()));
const { start } = await import('./start.js');
await start();
