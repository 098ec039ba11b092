import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { packTar, type TarItem } from './pack-tar.ts';
import { findTool } from './tools.ts';

const CACHE = fileURLToPath(new URL('../../.caisson/bases', import.meta.url));
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;
const GROUP = 'root:x:0:\ndaemon:x:1:\nbin:x:2:\nstaff:x:50:nobody\nnobody:x:65534:\n';

/** The config of base images. */
export const BASE_CONFIG = { Env: [PATH], Cmd: ['sh'] };

function folder(name: string, mode = 0o755): TarItem {
  return { name: `${name}/`, type: 'directory', mode };
}

/** A root with the static busybox of Debian, as one tar. */
export async function busyboxRoot(): Promise<Buffer> {
  const busybox = findTool('busybox');
  if (busybox === undefined) throw new Error('busybox-static is not installed');
  const applets = (await execa(busybox, ['--list'])).stdout.split('\n');
  return packTar([
    ...['bin', 'dev', 'etc', 'home', 'proc', 'sbin', 'sys', 'usr', 'usr/bin', 'usr/sbin', 'var'].map((name) =>
      folder(name),
    ),
    folder('root', 0o700),
    folder('tmp', 0o1777),
    { name: 'bin/busybox', type: 'file', mode: 0o755, content: readFileSync(busybox) },
    ...applets
      .filter((name) => name !== 'busybox')
      .map((name): TarItem => ({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' })),
    { name: 'etc/passwd', type: 'file', content: PASSWD },
    { name: 'etc/group', type: 'file', content: GROUP },
  ]);
}

/** A minimal Debian, as one tar. Made once by mmdebstrap, and kept. */
export async function debianRoot(): Promise<Buffer> {
  const path = join(CACHE, 'debian.tar');
  if (!existsSync(path)) {
    mkdirSync(CACHE, { recursive: true });
    const excludes = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*'];
    const options = excludes.map((each) => `--dpkgopt=path-exclude=${each}`);
    const part = join(CACHE, `debian.${process.pid}.tar`);
    await execa('mmdebstrap', ['--quiet', '--variant=minbase', ...options, 'bookworm', part], {
      env: { SOURCE_DATE_EPOCH: '1700000000', TMPDIR: CACHE },
      stdin: 'ignore',
    });
    renameSync(part, path);
  }
  return readFileSync(path);
}
