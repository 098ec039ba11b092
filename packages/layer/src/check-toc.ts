import { closeSync, openSync, readSync } from 'node:fs';
import { Digester, type Digest } from '@caisson/oci';
import { applyLayer } from './apply.ts';
import { fsPath, ROOT, type BytePath, type HostPath } from './byte-path.ts';
import { EPOCH, type Entry, type FileEntry } from './entry.ts';
import { encodeToc, Toc } from './toc.ts';
import { ChainView, type Found } from './view.ts';

/** Below a layer that is looked at alone: there may be something everywhere, so no whiteout is one of nothing. */
class AnythingBelow extends ChainView {
  constructor() {
    super([]);
  }
  override lookup(path: BytePath): Found {
    return { layer: 0, node: { type: 'fifo', path: path || ROOT, mode: 0, uid: 0, gid: 0, mtime: EPOCH } };
  }
}

/**
 * Whether a table of contents is that of a layer which Caisson wrote: the same entries as in its tar, and the bytes
 * of each file where it says, with the digest that it says.
 * @param tar where the layer lies, as a tar that is not compressed
 */
export async function isTocOf(toc: Toc, source: AsyncIterable<Uint8Array>, tar: HostPath): Promise<boolean> {
  const applied = await applyLayer({ source, below: new AnythingBelow() });
  if (!isSameToc(toc, applied.toc)) return false;
  const files = toc.entries.filter((entry) => entry.type === 'file');
  return files.every((file) => file.digest === undefined || file.digest === digestInTar(tar, file));
}

/** Whether two tables of contents say the same, but for the digests of files. */
export function isSameToc(a: Toc, b: Toc): boolean {
  return (
    encodeToc(new Toc(a.entries.map(withoutDigest))) === encodeToc(new Toc(b.entries.map(withoutDigest)))
  );
}

function withoutDigest(entry: Entry): Entry {
  if (entry.type !== 'file') return entry;
  const { digest: _digest, ...rest } = entry;
  return rest;
}

/** The digest of the bytes of a file in a tar; of a whole file, where it lies alone. */
export function digestInTar(tar: HostPath, { offset = 0, size }: Pick<FileEntry, 'offset' | 'size'>): Digest {
  const digester = new Digester();
  const chunk = Buffer.allocUnsafe(1 << 18);
  const fd = openSync(fsPath(tar), 'r');
  try {
    for (let at = 0; at < size;) {
      const read = readSync(fd, chunk, 0, Math.min(chunk.length, size - at), offset + at);
      if (read === 0) break;
      digester.update(chunk.subarray(0, read));
      at += read;
    }
  } finally {
    closeSync(fd);
  }
  return digester.digest();
}
