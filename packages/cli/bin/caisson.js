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
const { start } = await import('./start.js');
await start();
