import type { Digest } from '@caisson/oci';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { fsPath, type HostPath } from './byte-path.ts';
import type { DigestThread, FollowedTar } from './digest-thread.ts';
import type { Entry, NodeEntry } from './entry.ts';
import { LayerLayout, type FoundEntry, type Range } from './layer-layout.ts';
import type { Parts } from './parts.ts';
import type { TarSum } from './tar-file.ts';
import type { TarSink, TarSource } from './tar-sink.ts';
import type { Toc } from './toc.ts';
import { isZeros, writeFully } from './tree-writer.ts';

/** The tar of a layer. */
export interface TarOfLayer {
  readonly toc: Toc;
  readonly tar: HostPath;
}

/** What a tar is made from, and of what. */
export interface PatchRequest {
  /** One that nothing needs any more: its file becomes the new one. It need not be alike; the more it is, the less is written. */
  readonly old: TarOfLayer;
  /** The layer that the new one is most alike. */
  readonly latest: TarOfLayer & { readonly diffId: Digest };
  /** Takes the digest of the new one. */
  readonly digests: DigestThread;
}

/** A part of the latest tar that the old one has too. */
interface Shared extends Range {
  /** Where it begins there. */
  readonly oldStart: number;
}

const BUFFER_SIZE = 1 << 20;

/**
 * A tar that is made by writing over an older one what that has not, where it lies: bytes that are there already are
 * neither written nor read. What is hashed begins where the tar first differs from the latest. Nobody may read the file
 * meanwhile; both tars must be what their tables of contents say.
 */
export class PatchedTar implements TarSink, TarSource, Disposable {
  readonly #latest: LayerLayout;
  readonly #latestFd: number;
  readonly #shared: readonly Shared[];
  /** Of the first that may be of use to what is taken next. */
  #nextShared = 0;
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_SIZE);
  /** What waits in the buffer, in bytes, and where it belongs. */
  #used = 0;
  #flushed = 0;
  readonly #follow: (same: number) => FollowedTar;
  /** From where the tar first differs from the latest. */
  #followed: FollowedTar | undefined;

  private constructor(latest: LayerLayout, old: LayerLayout, request: PatchRequest) {
    const { latest: from, digests } = request;
    const { tar } = request.old;
    this.#latest = latest;
    this.#follow = (same) => digests.follow({ tar, alike: from.diffId, same });
    this.#shared = sharedParts(latest, old);
    this.#latestFd = openSync(fsPath(from.tar), 'r');
    try {
      this.#fd = openSync(fsPath(tar), 'r+');
    } catch (error) {
      closeSync(this.#latestFd);
      throw error;
    }
  }

  /** @returns undefined where a table of contents does not say where everything lies */
  static open(request: PatchRequest): PatchedTar | undefined {
    const latest = LayerLayout.of(request.latest.toc);
    const old = LayerLayout.of(request.old.toc);
    return latest === undefined || old === undefined ? undefined : new PatchedTar(latest, old, request);
  }

  get position(): number {
    return this.#flushed + this.#used;
  }

  get room(): Buffer {
    return this.#buffer.subarray(this.#used);
  }

  advance(length: number): void {
    this.#used += length;
    if (this.#used === BUFFER_SIZE) this.#flush();
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.room.length);
      this.room.set(part);
      this.advance(part.length);
      at += part.length;
    }
  }

  find(entry: Entry, node?: NodeEntry): FoundEntry | undefined {
    return this.#latest.find(entry, node);
  }

  *take(range: Range): Parts<void> {
    if (range.start !== this.position) this.leave();
    for (let { start } = range; start < range.end;) {
      const shared = this.#sharedFrom(start);
      const isThere = shared !== undefined && shared.oldStart + start - shared.start === this.position;
      const end = Math.min(range.end, nextEdge(shared, start));
      if (isThere && shared.start <= start) this.#skip(end - start);
      else yield* this.#copy({ start, end });
      start = end;
    }
  }

  leave(): void {
    this.#begin();
  }

  async finish(): Promise<TarSum> {
    this.#flush();
    const size = this.#flushed;
    if (fstatSync(this.#fd).size !== size) ftruncateSync(this.#fd, size);
    return { digest: await this.#begin().finish(size), size };
  }

  *end(): Parts<void> {} // nothing is checked

  abandon(): void {} // it is closed by whoever opened it

  [Symbol.dispose](): void {
    this.#followed?.giveUp();
    closeSync(this.#fd);
    closeSync(this.#latestFd);
  }

  /** The first shared part that ends behind a place of the latest tar. */
  #sharedFrom(start: number): Shared | undefined {
    while ((this.#shared[this.#nextShared]?.end ?? Infinity) <= start) this.#nextShared++;
    return this.#shared[this.#nextShared];
  }

  /** What was written so far is as it is in the latest. */
  #begin(): FollowedTar {
    this.#followed ??= this.#follow(Math.min(this.position, this.#latest.size));
    return this.#followed;
  }

  #skip(length: number): void {
    this.#flush();
    this.#flushed += length;
    this.#followed?.written(this.#flushed);
  }

  *#copy({ start, end }: Range): Parts<void> {
    for (let at = start; at < end;) {
      const { room } = this;
      const read = readSync(this.#latestFd, room, 0, Math.min(room.length, end - at), at);
      if (read === 0) throw new Error('Internal error: the latest tar is shorter than it was');
      this.advance(read);
      at += read;
      yield;
    }
  }

  #flush(): void {
    const full = this.#buffer.subarray(0, this.#used);
    // Runs of zeros stay holes.
    if (!isZeros(full) || !this.#hasZeros(full.length)) writeFully(this.#fd, full, this.#flushed);
    this.#flushed += this.#used;
    this.#used = 0;
    this.#followed?.written(this.#flushed);
  }

  /** Whether there are zeros where the next bytes go, or nothing. */
  #hasZeros(length: number): boolean {
    const there = Buffer.alloc(length);
    readSync(this.#fd, there, 0, length, this.#flushed);
    return isZeros(there);
  }
}

/** Up to where a place of the latest tar is in the same part, shared or not. */
function nextEdge(shared: Shared | undefined, start: number): number {
  if (shared === undefined) return Infinity;
  return shared.start > start ? shared.start : shared.end;
}

/** What two tars have in common, in the order of the first. */
function sharedParts(latest: LayerLayout, old: LayerLayout): Shared[] {
  const parts: (Shared & { end: number })[] = [];
  for (const [index, entry] of latest.toc.entries.entries()) {
    const here = latest.at(index);
    const node = entry.type === 'hardlink' ? latest.toc.get(entry.target) : undefined;
    const there = old.find(entry, node)?.range;
    if (there === undefined) continue;
    const last = parts.at(-1);
    if (last?.end === here.start && last.oldStart + last.end - last.start === there.start)
      last.end = here.end;
    else parts.push({ ...here, oldStart: there.start });
  }
  return parts;
}
