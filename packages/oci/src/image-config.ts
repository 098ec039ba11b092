import * as z from 'zod/mini';
import { isDiffId, type DiffId } from './digest.ts';
import { describeZodError } from './describe-zod-error.ts';
import { err, ok, type Result } from './result.ts';
import { parseStrictJson } from './strict-json.ts';

const strings = z.array(z.string());
const set = z.record(z.string(), z.looseObject({}));
const nanoseconds = z.int();

const healthcheckSchema = z.looseObject({
  Test: z.exactOptional(strings),
  Interval: z.exactOptional(nanoseconds),
  Timeout: z.exactOptional(nanoseconds),
  StartPeriod: z.exactOptional(nanoseconds),
  StartInterval: z.exactOptional(nanoseconds),
  Retries: z.exactOptional(z.int()),
});

const containerConfigSchema = z.looseObject({
  User: z.exactOptional(z.string()),
  ExposedPorts: z.exactOptional(set),
  Env: z.exactOptional(strings),
  Entrypoint: z.exactOptional(strings),
  Cmd: z.exactOptional(strings),
  Volumes: z.exactOptional(set),
  WorkingDir: z.exactOptional(z.string()),
  Labels: z.exactOptional(z.record(z.string(), z.string())),
  StopSignal: z.exactOptional(z.string()),
  ArgsEscaped: z.exactOptional(z.boolean()),
  Healthcheck: z.exactOptional(healthcheckSchema),
  Shell: z.exactOptional(strings),
  OnBuild: z.exactOptional(strings),
});

const historySchema = z.looseObject({
  created: z.exactOptional(z.string()),
  created_by: z.exactOptional(z.string()),
  author: z.exactOptional(z.string()),
  comment: z.exactOptional(z.string()),
  empty_layer: z.exactOptional(z.boolean()),
});

const diffId = z.custom<DiffId>((value) => typeof value === 'string' && isDiffId(value), {
  error: 'expected "sha256:" and 64 lower-case hex digits',
});

const imageConfigSchema = z.looseObject({
  created: z.exactOptional(z.string()),
  author: z.exactOptional(z.string()),
  architecture: z.string(),
  os: z.string(),
  variant: z.exactOptional(z.string()),
  config: z.exactOptional(containerConfigSchema),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(diffId) }),
  history: z.exactOptional(z.array(historySchema)),
});

/** When and how to ask a container whether it is well. Durations are in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** What a container made from an image starts with. The names are those of the image config on disk. */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  /** `NAME=value`, each name once. */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: Healthcheck;
  readonly Shell?: readonly string[];
  readonly OnBuild?: readonly string[];
}

/** One line of an image's history. */
export interface HistoryEntry {
  /** RFC 3339. */
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True where the instruction made no layer. */
  readonly empty_layer?: boolean;
}

/**
 * An image's config. Its digest is the image id.
 * @see https://github.com/opencontainers/image-spec/blob/main/config.md
 */
export interface ImageConfig {
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly config?: ContainerConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly DiffId[] };
  readonly history?: readonly HistoryEntry[];
}

/**
 * Reads an image config. Members that the specification does not know are kept; a null counts as absent, because
 * older docker versions wrote `"Cmd": null`.
 */
export function parseImageConfig(bytes: Uint8Array): Result<ImageConfig, string> {
  const json = parseStrictJson(bytes);
  if (!json.ok) return json;
  const parsed = imageConfigSchema.safeParse(withoutNulls(json.value));
  if (!parsed.success) return err(`not an image config: ${describeZodError(parsed.error)}`);
  return ok(parsed.data);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  );
}

/** An image config's bytes: a function of its value, members in the order of {@link ImageConfig}. */
export function imageConfigBytes(config: ImageConfig): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(config));
}

/** The PATH of programs where the config of an image says nothing of it. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
