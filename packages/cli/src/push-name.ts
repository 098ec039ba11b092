import { formatReference, type Compression, type Digest, type Reference } from '@caisson/oci';
import { warningText } from './failure-text.ts';
import { withSession } from './open-store.ts';
import { shortId, size } from './output/format.ts';
import { registryOptions } from './registry-options.ts';
import type { Terminal } from './terminal.ts';

const ARRIVALS = { 'was-there': 'it has', mounted: 'mounted', sent: 'sent' } as const;

/** How to push. */
export interface PushNameOptions {
  readonly compression: Compression;
  readonly isQuiet: boolean;
  readonly signal: AbortSignal;
}

/**
 * Sends the image of a name to its registry, and tells of it.
 * @returns the digest that it has there
 * @throws RegistryError, StoreError
 */
export async function pushName(
  root: string,
  reference: Reference,
  terminal: Terminal,
  { compression, isQuiet, signal }: PushNameOptions,
): Promise<Digest> {
  const { RegistryClient, pushImage } = await import('@caisson/registry');
  return withSession(root, async (store, session) => {
    await using client = new RegistryClient({
      ...registryOptions([], terminal.env),
      onWarning: (message) => terminal.error(warningText({ message }, terminal.hasColor)),
    });
    const image = await store.images.find(formatReference(reference));
    const pushed = await pushImage(client, reference, image, {
      store,
      session,
      compression,
      signal,
      onTransfer: ({ digest, size: total, arrival }) => {
        if (!isQuiet) terminal.error(`${ARRIVALS[arrival]} ${shortId(digest)} (${size(total)})\n`);
      },
    });
    return pushed.digest;
  });
}
