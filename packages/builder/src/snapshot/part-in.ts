import { fileIn, hostPath, type FilePart, type Found } from '@caisson/layer';
import type { Lower } from '@caisson/runtime';

/** The bytes of a file in what its layer is mounted from. */
export function partIn(lowers: readonly Lower[], { node }: Found): FilePart {
  const mapped = lowers.find((lower) => typeof lower !== 'string');
  const folders = lowers.filter((lower) => typeof lower === 'string');
  if (mapped === undefined) return { path: fileIn(folders.map(hostPath), node.path) };
  if (node.type !== 'file' || node.offset === undefined)
    throw new Error(`Internal error: the bytes of ${node.path} lie nowhere`);
  return { path: hostPath(mapped.tar), offset: node.offset };
}
