import { readdir, rm } from 'node:fs/promises';
import * as z from 'zod/mini';
import { digestOf, isDigest, parseDigest, type Digest } from '@caisson/oci';
import { fileUsage } from './disk-usage.ts';
import type { StorePaths } from './paths.ts';
import { readSealed, seal } from './sealed.ts';
import type { Session } from './session.ts';
import type { Sizes } from './sizes.ts';
import { writeDocument } from './write-document.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));

const baseSchema = z.object({
  version: z.literal(1),
  reference: z.string(),
  platform: z.string(),
  tagDigest: digest,
  manifest: z.object({ mediaType: z.string(), digest, size: z.int() }),
  checkedAt: z.number(),
});

/** A base image that a build fetched, and what its tag pointed to. It is cache: the user gave it no name. */
export interface RememberedBase {
  /** The full name that was asked for. */
  readonly reference: string;
  /** `os/architecture[/variant]` */
  readonly platform: string;
  /** What the registry said the tag points to: an index, or the manifest itself. */
  readonly tagDigest: Digest;
  /** The manifest of the image for the platform. */
  readonly manifest: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
  /** When the registry was last asked, in milliseconds since 1970. */
  readonly checkedAt: number;
}

/** The base images that builds fetched, a file each. */
export class RememberedBases {
  readonly #paths: StorePaths;
  readonly #sizes: Sizes;

  constructor(paths: StorePaths, sizes: Sizes) {
    this.#paths = paths;
    this.#sizes = sizes;
  }

  /** What is remembered of a name for a platform. Its manifest is held; whether the blobs are there is another question. */
  async get(session: Session, reference: string, platform: string): Promise<RememberedBase | undefined> {
    await session.hold(baseHoldName({ reference, platform }));
    const base = await this.#read(baseName(reference, platform));
    if (base !== undefined) await session.hold(base.manifest.digest);
    return base;
  }

  async put(session: Session, base: RememberedBase): Promise<void> {
    const name = baseHoldName(base);
    await session.hold(name);
    await writeDocument(session, this.path(base), seal({ version: 1, ...base }), 'cached');
    this.#sizes.set(name, fileUsage(this.path(base)), 'measured');
  }

  /** Everything that is remembered. */
  async list(): Promise<RememberedBase[]> {
    const bases: RememberedBase[] = [];
    for (const file of await readdir(this.#paths.bases)) {
      const name = parseDigest(`sha256:${file.replace(/\.json$/, '')}`);
      const base = name.ok ? await this.#read(name.value) : undefined;
      if (base !== undefined) bases.push(base);
    }
    return bases;
  }

  /** Where what is remembered of a base lies. */
  path({ reference, platform }: RememberedBase): string {
    return this.#paths.base(baseName(reference, platform));
  }

  async remove(base: RememberedBase): Promise<void> {
    this.#sizes.forget(baseHoldName(base));
    await rm(this.path(base), { force: true });
  }

  async #read(name: Digest): Promise<RememberedBase | undefined> {
    const parsed = baseSchema.safeParse(await readSealed(this.#paths.base(name)));
    if (!parsed.success || baseName(parsed.data.reference, parsed.data.platform) !== name) return undefined;
    return parsed.data;
  }
}

/** What a base is held under. */
export function baseHoldName({
  reference,
  platform,
}: Pick<RememberedBase, 'reference' | 'platform'>): string {
  return `base ${baseName(reference, platform)}`;
}

function baseName(reference: string, platform: string): Digest {
  return digestOf(`${reference} ${platform}`);
}
