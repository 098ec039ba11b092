import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packTar, type TarItem } from '../pack-tar.ts';
import { findTool } from '../tools.ts';
import { BASE_CONFIG } from '../base-images.ts';

const APPLETS = [
  'cat',
  'chmod',
  'cp',
  'echo',
  'find',
  'id',
  'ln',
  'ls',
  'mkdir',
  'mv',
  'rm',
  'sh',
  'sort',
  'stat',
];
const MORE = ['true', 'wc', 'xargs'];

/** Writes a small base image as an OCI image layout. @param text what is in one of its files */
export async function writeBaseLayout(folder: string, text: string): Promise<void> {
  const busybox = findTool('busybox');
  if (busybox === undefined) throw new Error('busybox-static is not installed');
  const layer = await packTar([
    ...['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'd/', 'd/e/'].map((name): TarItem => ({
      name,
      type: 'directory',
    })),
    { name: 'tmp/', type: 'directory', mode: 0o1777 },
    { name: 'bin/busybox', type: 'file', mode: 0o755, content: readFileSync(busybox) },
    ...[...APPLETS, ...MORE].map((name): TarItem => ({
      name: `bin/${name}`,
      type: 'symlink',
      linkname: 'busybox',
    })),
    { name: 'etc/passwd', type: 'file', content: 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' },
    { name: 'etc/group', type: 'file', content: 'root:x:0:\nnobody:x:65534:\n' },
    // What Dockerfiles speak of is here, too.
    ...['a', 'b', 's', 'd/e/a'].map((name): TarItem => ({ name, type: 'file', content: text })),
    { name: 'd/base', type: 'file', content: text, uid: 3, gid: 4 },
  ]);
  const put = (bytes: Buffer | string, mediaType: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(folder, 'blobs/sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  mkdirSync(join(folder, 'blobs/sha256'), { recursive: true });
  const layers = [put(layer, 'application/vnd.oci.image.layer.v1.tar')];
  const config = put(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: BASE_CONFIG,
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    }),
    'application/vnd.oci.image.config.v1+json',
  );
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put(
    JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers }),
    manifestType,
  );
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
}
