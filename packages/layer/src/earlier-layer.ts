import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Digest, Digester } from '@caisson/oci';
import { fsPath, type HostPath } from './byte-path.ts';
import { LayerError } from './errors.ts';
import { LayerLayout, type Range } from './layer-layout.ts';
import type { Parts } from './parts.ts';
import type { TarOutput } from './tar-output.ts';
import type { TarSource } from './tar-sink.ts';
import type { Toc } from './toc.ts';

const CHUNK = 1 << 20;

/**
 * A layer that was written before by {@link LayerWriter}, as a source for one that has many of the same entries: their
 * headers and bytes lie in it as they would be written again. All of it is hashed while it goes by: up to the first
 * difference that is the hashing of the new layer itself.
 */
export class EarlierLayer implements Disposable {
  readonly #layout: LayerLayout;
  readonly #diffId: Digest;
  readonly #fd: number;
  /** How much of it was read. */
  #position = 0;
  /** Takes its digest, from where the new layer has something else. */
  #digester: Digester | undefined;

  private constructor(layout: LayerLayout, diffId: Digest, fd: number) {
    this.#layout = layout;
    this.#diffId = diffId;
    this.#fd = fd;
  }

  /**
   * Opens a layer, for one pass.
   * @param tar where it lies, as a tar that is not compressed
   * @returns undefined where its table of contents does not say where everything lies
   */
  static open(toc: Toc, tar: HostPath, diffId: Digest): EarlierLayer | undefined {
    const layout = LayerLayout.of(toc);
    if (layout === undefined) return undefined;
    const fd = openSync(fsPath(tar), 'r');
    if (fstatSync(fd).size === layout.size) return new EarlierLayer(layout, diffId, fd);
    closeSync(fd);
    return undefined;
  }

  /** As what the tar of a layer is taken from. */
  into(output: TarOutput): TarSource {
    return {
      find: (entry, node) => this.#layout.find(entry, node),
      take: (range) => this.#copy(range, output),
      leave: () => this.#leave(output),
      end: () => this.#end(output),
    };
  }

  *#copy({ start, end }: Range, output: TarOutput): Parts<void> {
    if (start > this.#position) this.#leave(output);
    yield* this.#skipTo(start);
    while (this.#position < end) {
      const { room } = output;
      const read = this.#read(room, end);
      this.#digester?.update(room.subarray(0, read));
      output.advance(read);
      yield;
    }
  }

  #leave(output: TarOutput): void {
    this.#digester ??= output.fork();
  }

  /** Reads what is left. */
  *#end(output: TarOutput): Parts<void> {
    this.#leave(output);
    yield* this.#skipTo(fstatSync(this.#fd).size);
    if (this.#digester?.digest() !== this.#diffId) throw damaged(this.#diffId);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  *#skipTo(end: number): Parts<void> {
    if (this.#position === end) return;
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, end - this.#position));
    while (this.#position < end) {
      this.#digester?.update(chunk.subarray(0, this.#read(chunk, end)));
      yield;
    }
  }

  #read(into: Buffer, end: number): number {
    const read = readSync(this.#fd, into, 0, Math.min(into.length, end - this.#position), this.#position);
    if (read === 0) throw damaged(this.#diffId);
    this.#position += read;
    return read;
  }
}

function damaged(diffId: Digest): LayerError {
  return new LayerError('damaged-layer', `the layer ${diffId} is damaged`);
}
