import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxSpec } from '../sandbox-spec.ts';
import { SANDBOX_HOSTNAME } from '../profile.ts';

/** Files that a sandbox sees in place of the image's. */
export interface NetworkFiles {
  readonly resolvConf: string;
  readonly hosts: string;
}

/** Writes the files that sandboxes see as /etc/resolv.conf and /etc/hosts. */
export function prepareNetworkFiles(folder: string): NetworkFiles {
  const files = { resolvConf: join(folder, 'resolv.conf'), hosts: join(folder, 'hosts') };
  writeFileSync(files.resolvConf, hostResolvConf(), { mode: 0o644 });
  writeFileSync(files.hosts, ownHosts(SANDBOX_HOSTNAME), { mode: 0o644 });
  return files;
}

/** The /etc/hosts of a sandbox: the common one, unless it has names of its own. */
export function hostsFile(
  files: NetworkFiles,
  folder: string,
  { hosts = [], hostname = SANDBOX_HOSTNAME }: Pick<SandboxSpec, 'hosts' | 'hostname'>,
): string {
  if (hosts.length === 0 && hostname === SANDBOX_HOSTNAME) return files.hosts;
  const path = join(folder, 'hosts');
  const lines = hosts.map(({ name, address }) => `${address}\t${name}\n`);
  writeFileSync(path, ownHosts(hostname) + lines.join(''), { mode: 0o644 });
  return path;
}

function ownHosts(hostname: string): string {
  return `127.0.0.1\tlocalhost ${hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n`;
}

function hostResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}
