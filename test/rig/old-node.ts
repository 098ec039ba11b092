import { execFileSync } from 'node:child_process';

/** The Node of the machine, where it is older than ours. */
export const OLD_NODE = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
  try {
    return Number(/^v(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]) < 24;
  } catch {
    return false;
  }
});
