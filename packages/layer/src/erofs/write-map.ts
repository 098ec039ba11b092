import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { fsPath, type HostPath } from '../byte-path.ts';
import type { Toc } from '../toc.ts';
import { layerMap } from './layer-map.ts';

const CHUNK = 1 << 18;

/**
 * Writes the map of a layer.
 * @param toc of a layer that is not {@link unmappable}
 * @param path a new file
 * @throws LayerError `unsafe-layer`
 */
export function writeMap(toc: Toc, path: HostPath): void {
  const fd = openSync(fsPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    for (const chunk of inChunks(layerMap(toc)))
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
  } finally {
    closeSync(fd);
  }
}

/** Whether a file is the map of a layer, to the byte. */
export function isMapOf(toc: Toc, path: HostPath): boolean {
  const fd = openSync(fsPath(path), 'r');
  try {
    let position = 0;
    for (const chunk of inChunks(layerMap(toc))) {
      const found = Buffer.allocUnsafe(chunk.length);
      const read = readSync(fd, found, 0, chunk.length, position);
      if (Buffer.compare(found.subarray(0, read), chunk) !== 0) return false;
      position += read;
    }
    return readSync(fd, Buffer.alloc(1), 0, 1, position) === 0;
  } finally {
    closeSync(fd);
  }
}

/** Small parts together. */
function* inChunks(parts: Iterable<Buffer>): Generator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for (const part of parts) {
    pending.push(part);
    size += part.length;
    if (size < CHUNK) continue;
    yield Buffer.concat(pending);
    pending = [];
    size = 0;
  }
  yield Buffer.concat(pending);
}
