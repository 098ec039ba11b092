import * as z from 'zod/mini';
import { printable } from '../printable.ts';
import { readErrorBody } from './body.ts';
import type { HttpResponse } from './http.ts';

/** What a registry says of a failure. */
export interface RegistryErrors {
  /** `MANIFEST_UNKNOWN`, `DENIED`. */
  readonly codes: ReadonlySet<string>;
  /** In its words, made fit to be shown; empty where it has none. */
  readonly text: string;
  /** The digests that it names in the details. */
  readonly digests: readonly string[];
}

const schema = z.looseObject({
  errors: z.array(
    z.looseObject({
      code: z.optional(z.string()),
      message: z.optional(z.string()),
      detail: z.optional(z.unknown()),
    }),
  ),
});

/**
 * Reads the body of a failure. One that is not what the specification asks for is no second failure: plain text is
 * shown as it is, anything else left out.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 */
export async function readRegistryErrors(response: HttpResponse): Promise<RegistryErrors> {
  const text = Buffer.from(await readErrorBody(response)).toString('utf8');
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    const isPlain = response.headers.get('content-type')?.startsWith('text/plain') === true;
    return { codes: new Set(), text: isPlain ? printable(text) : '', digests: [] };
  }
  const errors = parsed.data.errors.slice(0, 10);
  const words = errors.map(({ code, message }) => (message === undefined || message === '' ? code : message));
  const details = errors.map(({ detail }) => JSON.stringify(detail) ?? '').join(' ');
  return {
    codes: new Set(errors.flatMap(({ code }) => (code === undefined ? [] : [code]))),
    text: printable([...new Set(words.filter((word) => word !== undefined))].join('; ')),
    digests: details.match(/sha256:[0-9a-f]{64}/g) ?? [],
  };
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
