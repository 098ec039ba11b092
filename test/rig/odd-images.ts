import { busyboxRoot } from './base-images.ts';
import { packTar } from './pack-tar.ts';

/**
 * The layers of an image as other tools write them: parent folders are missing, whiteouts stand for what is not there,
 * a folder is opaque in a layer that also brings files for it, a whiteout stands beside what replaces it, and a
 * parent is a link in a layer below.
 */
export async function strayLayers(): Promise<Buffer[]> {
  const base = await busyboxRoot();
  const first = await packTar([
    // Neither `deep/` nor `deep/er/` has an entry.
    { name: 'deep/er/file', type: 'file', content: 'one\n', mode: 0o600, uid: 7, gid: 8 },
    { name: 'kept/', type: 'directory', mode: 0o751, uid: 3, gid: 4 },
    { name: 'kept/below', type: 'file', content: 'below\n' },
    { name: 'opaque/', type: 'directory', mode: 0o700 },
    { name: 'opaque/gone', type: 'file', content: 'gone\n' },
    { name: 'opaque/again', type: 'file', content: 'old\n' },
    { name: 'replaced/', type: 'directory' },
    { name: 'replaced/gone', type: 'file', content: 'gone\n' },
    { name: 'link', type: 'symlink', linkname: 'kept' },
  ]);
  const second = await packTar([
    // Of things that were never there.
    { name: '.wh.nothing', type: 'file' },
    { name: 'kept/.wh.nothing', type: 'file' },
    { name: 'new/', type: 'directory' },
    { name: 'new/.wh.nothing', type: 'file' },
    // `kept/` has no entry here: it keeps what it was.
    { name: 'kept/above', type: 'file', content: 'above\n' },
    { name: 'opaque/again', type: 'file', content: 'new\n' },
    { name: 'opaque/.wh..wh..opq', type: 'file' },
    { name: 'opaque/.wh.again2', type: 'file' },
    // A whiteout beside what takes its place: the folder of below does not show through.
    { name: '.wh.replaced', type: 'file' },
    { name: 'replaced/', type: 'directory', mode: 0o711 },
    { name: 'replaced/fresh', type: 'file', content: 'fresh\n' },
    // `link` becomes a folder; nothing may be written through it into kept/.
    { name: 'link/', type: 'directory' },
    { name: 'link/inside', type: 'file', content: 'inside\n' },
  ]);
  return [base, first, second];
}

/** The layers of an image that say something of the root folder itself, as `tar -C "$(mktemp -d)" -c .` does. */
export async function closedRootLayers(): Promise<Buffer[]> {
  const closed = await packTar([
    { name: './', type: 'directory', mode: 0o700, uid: 5, gid: 6 },
    { name: '.wh..wh..opq', type: 'file' },
    { name: 'new', type: 'file', content: 'new\n' },
  ]);
  return [await busyboxRoot(), closed];
}

/** The xattr `security.capability` that setcap(8) writes for cap_net_bind_service=ep. */
const CAPABILITY = `\u0001\0\0\u0002\0\u0004${'\0'.repeat(14)}`;

/** The layers of an image with a program that has a file capability. */
export async function capableLayers(): Promise<Buffer[]> {
  const pax = { 'SCHILY.xattr.security.capability': CAPABILITY };
  const program = { name: 'capable', type: 'file', mode: 0o755, content: '#!/bin/sh\n', pax } as const;
  return [await busyboxRoot(), await packTar([program])];
}

/** A config as docker's builder of old wrote it: of a container, with nulls for what is not there. */
export const LEGACY_CONFIG = {
  Hostname: '0123456789ab',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  ExposedPorts: { '6379/tcp': {} },
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: ['PATH=/usr/local/bin:/bin', 'VERSION=1', 'EMPTY='],
  Cmd: ['/bin/sh', '-c', 'legacy'],
  ArgsEscaped: true,
  Image: `sha256:${'0'.repeat(64)}`,
  Volumes: { '/data': {} },
  WorkingDir: '/data',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
  StopSignal: 'SIGTERM',
};

/** And its history, with lines that make no layer. */
export const LEGACY_HISTORY = [
  { created: '2018-01-01T00:00:00.5Z', created_by: '/bin/sh -c #(nop) ADD file:0 in / ' },
  {
    created: '2018-01-01T00:00:01Z',
    created_by: '/bin/sh -c #(nop)  CMD ["sh"]',
    author: 'old',
    empty_layer: true,
  },
];
