import * as z from 'zod/mini';
import { isDigest, type Digest, type Json } from '@caisson/oci';
import type { Store } from '@caisson/store';
import type { KeptReport } from './build-report.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const json: z.ZodMiniType<Json> = z.lazy(() =>
  z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(json), z.record(z.string(), json)]),
);
const fileChange = z.object({
  path: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  fields: z.array(
    z.object({
      field: z.enum(['content', 'mode', 'type', 'owner', 'target', 'device', 'xattrs', 'link', 'parents']),
      before: z.optional(z.string()),
      after: z.optional(z.string()),
    }),
  ),
});
const change = z.union([
  z.object({
    kind: z.literal('files'),
    field: z.string(),
    files: z.array(fileChange),
    more: z.optional(z.int()),
  }),
  z.object({
    kind: z.literal('variable'),
    name: z.string(),
    isArg: z.boolean(),
    before: z.optional(z.string()),
    after: z.optional(z.string()),
  }),
  z.object({
    kind: z.literal('state'),
    by: z.optional(
      z.union([
        z.object({ kind: z.literal('step'), id: z.int(), text: z.string() }),
        z.object({ kind: z.literal('base') }),
      ]),
    ),
  }),
  z.object({
    kind: z.literal('field'),
    field: z.string(),
    before: z.optional(json),
    after: z.optional(json),
  }),
]);
const reason = z.union([
  z.object({ kind: z.enum(['no-record', 'evicted', 'not-fetched', 'lost', 'no-cache']) }),
  z.object({
    kind: z.literal('changed'),
    than: digest,
    context: z.optional(z.string()),
    changes: z.array(change),
  }),
]);
const reportSchema = z.object({
  id: z.string(),
  startedAt: z.string(),
  duration: z.number(),
  result: z.optional(z.enum(['built', 'failed', 'cancelled'])),
  context: z.optional(z.string()),
  dockerfile: z.string(),
  target: z.string(),
  steps: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      text: z.string(),
      outcome: z.enum(['cached', 'ran', 'failed', 'cancelled', 'unreached']),
      key: z.optional(digest),
      record: z.optional(z.record(z.string(), json)),
      reason: z.optional(reason),
      duration: z.optional(z.number()),
    }),
  ),
  imageId: z.optional(digest),
  size: z.optional(z.number()),
  names: z.array(z.string()),
});

/** What is found under an id, or the beginning of one. */
export type FoundReport =
  | { readonly kind: 'report'; readonly report: KeptReport }
  | { readonly kind: 'none' }
  /** It is there, and cannot be read. */
  | { readonly kind: 'damaged'; readonly id: string }
  | { readonly kind: 'several'; readonly ids: readonly string[] };

/**
 * Finds the report of a build.
 * @param id the build's, or the beginning of it; that of the last build whose report can be read where it is not given
 */
export async function findReport(store: Store, id?: string): Promise<FoundReport> {
  const all = await store.reports.ids();
  const found = id === undefined ? all : all.filter((each) => each.startsWith(id));
  if (id !== undefined && found.length > 1 && !found.includes(id)) return { kind: 'several', ids: found };
  for (const each of found) {
    const report = await reportOf(store, each);
    if (report !== undefined) return { kind: 'report', report };
    if (id !== undefined) return { kind: 'damaged', id: each };
  }
  return { kind: 'none' };
}

/**
 * The reports of the last builds, each read when it is asked for, the last one that ended or began first. Those that
 * are damaged are left out.
 * @param most how many are looked at
 */
export async function* lastReports(store: Store, most: number): AsyncGenerator<KeptReport> {
  for (const id of (await store.reports.ids()).slice(0, most)) {
    const report = await reportOf(store, id);
    if (report !== undefined) yield report;
  }
}

/**
 * The reports of the builds that are known, the newest first. Those that are damaged are left out.
 * @param most how many of the last are looked at
 */
export async function listReports(store: Store, most = Infinity): Promise<KeptReport[]> {
  const ids = (await store.reports.ids()).slice(0, most);
  const reports = await Promise.all(ids.map((id) => reportOf(store, id)));
  return reports
    .filter((report) => report !== undefined)
    .toSorted((a, b) => b.startedAt.localeCompare(a.startedAt));
}

async function reportOf(store: Store, id: string): Promise<KeptReport | undefined> {
  const text = await store.reports.get(id);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = reportSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const report = parsed.data;
  const state = report.result ?? (store.logs.isRunning(id) ? 'running' : 'killed');
  return { ...report, id, state }; // whatever it says of itself
}
