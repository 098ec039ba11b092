import { setTimeout as sleep } from 'node:timers/promises';
import { parseManifest, type Descriptor, type Digest, type DiffId, type Manifest } from '@caisson/oci';
import { CacheError } from '../cache-error.ts';
import type { CacheBlob, CachePlace } from '../cache-place.ts';
import { writeLayer, type LayerWriting } from '../write-layer.ts';

/** A cache in memory, some of whose blobs may be damaged. */
export class FakePlace implements CachePlace {
  readonly title: string;
  readonly repository = undefined;
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly damaged = new Set<Digest>();
  /** Blobs that are asked for and do not come. */
  readonly hanging = new Set<Digest>();
  manifest: Manifest | undefined;

  constructor(title: string) {
    this.title = title;
  }

  async read(): Promise<{ manifest: Manifest; config: Uint8Array } | undefined> {
    const { manifest } = this;
    if (manifest === undefined) return undefined;
    return await Promise.resolve({ manifest, config: this.bytes(manifest.config.digest) });
  }

  async *open({ digest }: Descriptor, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (this.hanging.has(digest)) await sleep(60_000, undefined, { signal, ref: false });
    if (this.damaged.has(digest)) throw new CacheError(`its blob ${digest} is damaged`);
    yield await Promise.resolve(this.bytes(digest));
  }

  has({ digest }: Descriptor): Promise<boolean> {
    return Promise.resolve(this.blobs.has(digest));
  }

  writeLayer(diffId: DiffId, size: number, options: LayerWriting): Promise<Descriptor> {
    return writeLayer(this, diffId, size, options);
  }

  async write({ descriptor, open }: CacheBlob): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of open()) chunks.push(chunk);
    this.blobs.set(descriptor.digest, Buffer.concat(chunks));
  }

  async finish(manifest: Uint8Array, config: CacheBlob): Promise<void> {
    await this.write(config);
    const parsed = parseManifest(manifest);
    if (!parsed.ok) throw new Error(parsed.error);
    this.manifest = parsed.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It holds nothing.
  }

  bytes(digest: Digest): Uint8Array {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) throw new CacheError(`its blob ${digest} is gone`);
    return bytes;
  }
}
