import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

/** A member of a tar, as a test writes it. Times and owners are fixed where they are not given. */
export interface TarItem {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'fifo' | 'character-device' | 'block-device';
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly linkname?: string;
  readonly devmajor?: number;
  readonly devminor?: number;
  /** PAX records. */
  readonly pax?: Readonly<Record<string, string>>;
}

/** Packs a tar with tar-stream: not with our own writer, whose reader is tested with it. */
export async function packTar(items: readonly TarItem[]): Promise<Buffer> {
  const tar = pack();
  for (const { content = '', type, mode, pax, ...rest } of items) {
    const body = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
    tar.entry(
      {
        uid: 0,
        gid: 0,
        mtime: new Date(1_700_000_000_000),
        mode: mode ?? (type === 'directory' ? 0o755 : type === 'symlink' ? 0o777 : 0o644),
        type,
        size: body.length,
        ...rest,
        ...(pax === undefined ? {} : { pax: { ...pax } }),
      },
      body,
    );
  }
  tar.finalize();
  return buffer(tar);
}
