import { readdir, readFile, rm } from 'node:fs/promises';
import * as z from 'zod/mini';
import { digestOf, isDigest, parseDigest, type Digest } from '@caisson/oci';
import type { StorePaths } from './paths.ts';
import type { Session } from './session.ts';
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

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  /** What is remembered of a name for a platform. Its manifest is held; whether the blobs are there is another question. */
  async get(session: Session, reference: string, platform: string): Promise<RememberedBase | undefined> {
    const name = baseName(reference, platform);
    await session.hold(`base ${name}`);
    const base = await this.#read(name);
    if (base !== undefined) await session.hold(base.manifest.digest);
    return base;
  }

  async put(session: Session, base: RememberedBase): Promise<void> {
    const name = baseName(base.reference, base.platform);
    await session.hold(`base ${name}`);
    await writeDocument(session, this.#paths.base(name), JSON.stringify({ version: 1, ...base }), 'cached');
  }

  /** Everything that is remembered, under the name that it is held by. */
  async list(): Promise<Map<string, RememberedBase>> {
    const bases = new Map<string, RememberedBase>();
    for (const file of await readdir(this.#paths.bases)) {
      const name = parseDigest(`sha256:${file.replace(/\.json$/, '')}`);
      const base = name.ok ? await this.#read(name.value) : undefined;
      if (name.ok && base !== undefined) bases.set(`base ${name.value}`, base);
    }
    return bases;
  }

  async remove(base: RememberedBase): Promise<void> {
    await rm(this.#paths.base(baseName(base.reference, base.platform)), { force: true });
  }

  async #read(name: Digest): Promise<RememberedBase | undefined> {
    let value: unknown;
    try {
      value = JSON.parse(await readFile(this.#paths.base(name), 'utf8'));
    } catch {
      return undefined;
    }
    const parsed = baseSchema.safeParse(value);
    return parsed.success ? parsed.data : undefined;
  }
}

function baseName(reference: string, platform: string): Digest {
  return digestOf(`${reference} ${platform}`);
}
