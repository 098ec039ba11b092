import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Lets `FROM busybox` find a registry on this machine, as somebody with a mirror of Docker Hub would.
 * @param home the home of who builds
 * @param host the registry
 */
export function mirrorDockerHub(home: string, host: string): void {
  const folder = join(home, '.config', 'containers');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'registries.conf'),
    `[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "${host}"\n`,
  );
}
