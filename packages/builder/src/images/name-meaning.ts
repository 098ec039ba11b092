import { familiarName, type Reference } from '@caisson/oci';
import { RegistryError, type RegistryErrorCode } from '@caisson/registry/errors';

/** Failures that a name may be to blame for which was meant for an image of the store, or of another registry. */
const BY_NAME: ReadonlySet<RegistryErrorCode> = new Set<RegistryErrorCode>([
  'unreachable',
  'timeout',
  'unauthorized',
  'denied',
  'not-found',
]);

/** What of the error is to be said otherwise. */
interface Told {
  /** What is known beside it: a part of a sentence. */
  readonly before?: string;
  /** What to do. */
  readonly advice?: string;
}

/**
 * Does work with the registry of a name. Names without a registry are names of Docker Hub, which people forget: where it
 * fails, the error says what the name means.
 * @throws RegistryError, and what the work throws
 */
export async function tellMeaning<T>(
  reference: Reference,
  work: () => Promise<T>,
  { before, advice }: Told = {},
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RegistryError) || !BY_NAME.has(error.code)) throw error;
    const message = before === undefined ? error.message : `${before}, and ${error.message}`;
    throw new RegistryError(error.code, message, { ...hintOf(reference, error, advice), cause: error });
  }
}

function hintOf(
  reference: Reference,
  { code, hint }: RegistryError,
  advice: string | undefined,
): { readonly hint?: string } {
  const { registry, repository } = reference;
  const name = familiarName({ registry, repository });
  const full = `${registry}/${repository}`;
  if (name.startsWith(full)) return hint === undefined ? {} : { hint };
  const meaning = `${name} means ${full}${advice === undefined ? '' : `: ${advice}`}`;
  // That a name has no address says little where it was not written by anybody.
  return { hint: hint === undefined || code === 'unreachable' ? meaning : `${meaning}; ${hint}` };
}
