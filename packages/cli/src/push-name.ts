import { familiarName, type Compression, type Digest, type Reference } from '@caisson/oci';
import { checkIds } from './rootless/enter-namespace.ts';
import { warningText } from './failure-text.ts';
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
  checkIds();
  const { push } = await import('@caisson/builder');
  const name = familiarName(reference);
  using view = await openTransferView({ way: 'up', name }, terminal, isQuiet);
  const registry = registryOptions([], terminal.env);
  const { digest } = await push({ root, name, compression, registry, signal }, (event) => {
    if (event.kind === 'warning') view.tell(warningText(event, terminal.hasColor));
    else view.note(event);
  });
  view.complete(digest);
  return digest;
}
