import { isDeepStrictEqual } from 'node:util';
import type { NodeEntry } from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import type { SourceNode } from '../copy/source-tree.ts';
import type { FileStat } from './stat-cache.ts';

/** Something in the context. Its stat is not kept whole: there may be hundreds of thousands. */
export class ContextNode implements SourceNode {
  readonly entry: NodeEntry;
  readonly linkId: string | undefined;
  /** Of a regular file. */
  readonly stat: FileStat | undefined;
  /** Of its bytes, as soon as it is known. */
  digest: Digest | undefined;

  constructor(entry: NodeEntry, linkId: string | undefined, stat: FileStat | undefined) {
    this.entry = entry;
    this.linkId = linkId;
    this.stat = stat;
  }

  /** Whether another look found the same. */
  isAs({ entry, linkId, stat }: ContextNode): boolean {
    return this.linkId === linkId && this.stat === stat && isDeepStrictEqual(this.entry, entry);
  }
}
