import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a library must not change of the process that calls it. */
export function stateOfProcess(): object {
  const status = readFileSync('/proc/self/status', 'utf8');
  const namespaces = ['mnt', 'pid', 'net', 'ipc', 'uts', 'user'];
  return {
    umask: /^Umask:\s+(\d+)$/m.exec(status)?.[1],
    cwd: process.cwd(),
    root: readlinkSync('/proc/self/root'),
    namespaces: namespaces.map((name) => readlinkSync(`/proc/self/ns/${name}`)),
    environment: { ...process.env },
    listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
    files: readdirSync('/proc/self/fd')
      .map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`);
        } catch {
          return '';
        }
      })
      .filter((path) => path.startsWith('/'))
      .toSorted(),
  };
}
