import { familiarName, formatReference, type Compression, type Digest, type Reference } from '@caisson/oci';
import { warningText } from './failure-text.ts';
import { withSession } from './open-store.ts';
import { openTransferView } from './output/transfer-view.ts';
import { registryOptions } from './registry-options.ts';
import type { Terminal } from './terminal.ts';

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
  const name = familiarName(reference);
  return withSession(root, async (store, session) => {
    using view = await openTransferView({ way: 'up', name }, terminal, isQuiet);
    await using client = new RegistryClient({
      ...registryOptions([], terminal.env),
      onWarning: (message) => view.tell(warningText({ message }, terminal.hasColor)),
    });
    const image = await store.images.find(formatReference(reference));
    const pushed = await pushImage(client, reference, image, {
      store,
      session,
      compression,
      signal,
      onTransfer: (event) => view.note({ kind: 'transfer', ...event }),
      onSent: ({ digest, size }, sent) => view.note({ kind: 'send', name, digest, sent, size }),
    });
    view.complete(pushed.digest);
    return pushed.digest;
  });
}
