import * as z from 'zod/mini';
import { isDigest, type Digest } from './digest.ts';
import { isIndexType, isManifestType, MEDIA_TYPES } from './media-types.ts';
import { describeZodError } from './describe-zod-error.ts';
import { err, ok, type Result } from './result.ts';
import { parseStrictJson } from './strict-json.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), {
  error: 'expected "sha256:" and 64 lower-case hex digits',
});
const size = z.int().check(z.nonnegative());
const annotations = z.record(z.string(), z.string());

const platform = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.exactOptional(z.string()),
  'os.version': z.exactOptional(z.string()),
  'os.features': z.exactOptional(z.array(z.string())),
});

const descriptor = z.looseObject({
  mediaType: z.string(),
  digest,
  size,
  annotations: z.exactOptional(annotations),
  urls: z.exactOptional(z.array(z.string())),
  platform: z.exactOptional(platform),
});

/**
 * What points to content: its media type, digest and size in bytes.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly urls?: readonly string[];
  readonly platform?: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
  };
}

/**
 * One image: its config and its layers, lowest first.
 * @see https://github.com/opencontainers/image-spec/blob/main/manifest.md
 */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * A list of manifests, one a platform; also what an image layout's `index.json` is.
 * @see https://github.com/opencontainers/image-spec/blob/main/image-index.md
 */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

const MAX_DESCRIPTORS = 10_000;

const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.exactOptional(z.string()),
  config: descriptor,
  layers: z.array(descriptor).check(z.maxLength(MAX_DESCRIPTORS)),
  annotations: z.exactOptional(annotations),
});

const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.exactOptional(z.string()),
  manifests: z.array(descriptor).check(z.maxLength(MAX_DESCRIPTORS)),
  annotations: z.exactOptional(annotations),
});

/**
 * Reads a manifest. A document that could also be an index, that calls itself something else than `mediaType`, or
 * that holds a member twice is refused, so that no two readers can see two different images in it.
 * @param mediaType what the document was announced as, where something announced it
 */
export function parseManifest(bytes: Uint8Array, mediaType?: string): Result<Manifest, string> {
  const json = parseDocument(bytes, 'manifests', mediaType);
  if (!json.ok) return json;
  const parsed = manifestSchema.safeParse(json.value);
  if (!parsed.success) return err(`not an image manifest: ${describeZodError(parsed.error)}`);
  const declared = parsed.data.mediaType;
  if (declared !== undefined && !isManifestType(declared))
    return err(`its media type is ${declared}, not a manifest's`);
  return ok(parsed.data);
}

/** Reads an index. What {@link parseManifest} says of ambiguous documents holds here too. */
export function parseIndex(bytes: Uint8Array, mediaType?: string): Result<Index, string> {
  const json = parseDocument(bytes, 'layers', mediaType);
  if (!json.ok) return json;
  const parsed = indexSchema.safeParse(json.value);
  if (!parsed.success) return err(`not an image index: ${describeZodError(parsed.error)}`);
  const declared = parsed.data.mediaType;
  if (declared !== undefined && !isIndexType(declared))
    return err(`its media type is ${declared}, not an index's`);
  return ok(parsed.data);
}

/** Parses a document of a registry or layout, and refuses one that has the `foreign` member of the other kind. */
function parseDocument(bytes: Uint8Array, foreign: string, mediaType?: string): Result<unknown, string> {
  const json = parseStrictJson(bytes);
  if (!json.ok) return json;
  const value = json.value;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return err('the document is not a JSON object');
  if (foreign in value)
    return err(`the document is ambiguous: it has a member "${foreign}" of another kind of document`);
  if ('fsLayers' in value)
    return err('the document is an image manifest of schema version 1, which is not supported');
  if (mediaType !== undefined && 'mediaType' in value && value.mediaType !== mediaType) {
    return err(`the document says it is ${String(value.mediaType)} but was announced as ${mediaType}`);
  }
  return ok(value);
}

/** A manifest's bytes, as Caisson writes them. */
export function manifestBytes(config: Descriptor, layers: readonly Descriptor[]): Uint8Array {
  const manifest: Manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers };
  return new TextEncoder().encode(JSON.stringify(manifest));
}
