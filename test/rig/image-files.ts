import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';

/** A file of an image, as a test compares it. */
export interface ImageFile {
  readonly type: string;
  /** Octal. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Of a file, as text. */
  readonly content?: string;
  readonly sha256?: string;
  /** Of a link. */
  readonly target?: string;
  /** Of a device: `major:minor`. */
  readonly device?: string;
  /** As text, byte by byte where they are ASCII. */
  readonly xattrs?: Readonly<Record<string, string>>;
  readonly mtime: number;
}

/** The files of a tar, by path without slashes at its ends. */
export async function filesOfTar(tar: Uint8Array): Promise<Map<string, ImageFile>> {
  const files = new Map<string, ImageFile>();
  const reader = extract();
  Readable.from([Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength)]).pipe(reader);
  for await (const entry of reader) {
    const { header } = entry;
    const body = await buffer(entry);
    const xattrs = Object.entries(header.pax ?? {}).flatMap(([key, value]): [string, string][] =>
      key.startsWith('SCHILY.xattr.') ? [[key.slice('SCHILY.xattr.'.length), value]] : [],
    );
    files.set(header.name.replaceAll(/^\.?\/+|\/+$/g, ''), {
      type: header.type ?? 'file',
      mode: (header.mode ?? 0).toString(8).padStart(4, '0'),
      uid: header.uid ?? 0,
      gid: header.gid ?? 0,
      mtime: header.mtime?.getTime() ?? 0,
      ...(header.type === 'file'
        ? { content: body.toString('utf8'), sha256: createHash('sha256').update(body).digest('hex') }
        : {}),
      ...(header.linkname ? { target: header.linkname } : {}),
      ...(header.type?.endsWith('-device') ? { device: `${header.devmajor}:${header.devminor}` } : {}),
      ...(xattrs.length === 0 ? {} : { xattrs: Object.fromEntries(xattrs) }),
    });
  }
  return files;
}
