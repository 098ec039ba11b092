import { familiarName, parseDigest, type Descriptor, type Reference } from '@caisson/oci';
import type { Repository } from './client.ts';
import { RegistryError } from './errors.ts';
import { bytesBody } from './transport/http.ts';
import { repositoryScope } from './transport/scope.ts';

/**
 * Writes a manifest, under its tag if the reference has one. What it names must be there.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
 */
export async function putManifest(
  { host, name }: Repository,
  reference: Reference,
  { mediaType, digest }: Descriptor,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const response = await host.send({
    method: 'PUT',
    to: `${name}/manifests/${reference.tag ?? digest}`,
    headers: { 'content-type': mediaType },
    body: bytesBody(bytes),
    scopes: [repositoryScope(name, 'push')],
    doing: `write ${familiarName(reference)}`,
    expect: [200, 201, 202],
    signal,
  });
  await response.discard();
  const answered = parseDigest(response.headers.get('docker-content-digest') ?? digest);
  if (answered.ok && answered.value === digest) return;
  throw new RegistryError(
    'digest-mismatch',
    `the registry ${host.name} took the manifest of ${familiarName(reference)} for another than was sent`,
  );
}
