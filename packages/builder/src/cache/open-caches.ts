import { parseReference } from '@caisson/oci';
import { RegistryAccess } from '../bases/registry-access.ts';
import { buildError } from '../failure.ts';
import type { BuildRequest, CacheExportRequest, CacheLocation } from '../request.ts';
import type { KnownRepositories } from '@caisson/store';
import { CacheExport } from './cache-export.ts';
import type { CachePlace } from './cache-place.ts';
import { FolderCache } from './folder-cache.ts';
import { ImportedCache, type ImportTools } from './imported-cache.ts';
import { RegistryCache } from './registry-cache.ts';

/** The caches of a request that lie elsewhere. Disposing of them ends what is on its way to them. */
export interface OpenCaches extends AsyncDisposable {
  readonly imported: ImportedCache;
  readonly exports: readonly CacheExport[];
}

/** A build can do without: a registry that does not answer is not waited for as long as for an image. */
const PATIENCE = {
  connect: 5000,
  headers: 15_000,
  idle: 15_000,
  commit: 60_000,
  longestWait: 15_000,
  tries: 2,
};

/** Nothing is read or written yet. @throws BuildError `invalid-request` */
export function openCaches(
  { cacheFrom = [], cacheTo = [], registry = {}, noCache = false }: BuildRequest,
  tools: ImportTools,
): OpenCaches {
  const onWarning = (message: string): void => tools.emit({ kind: 'warning', message });
  const timing = { ...PATIENCE, ...registry.timing };
  const access = new RegistryAccess({ ...registry, onWarning, timing });
  const { repositories } = tools.store;
  const imported = new ImportedCache(
    // Without the cache nothing is found in one: it is not even asked.
    noCache ? [] : cacheFrom.map((location) => placeOf(location, access, repositories)),
    tools,
  );
  const exports = cacheTo.map(
    (request) =>
      new CacheExport(placeOf(request, access, repositories), howOf(request), { ...tools, imported }),
  );
  return {
    imported,
    exports,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(exports.map((each) => each[Symbol.asyncDispose]()));
      await access[Symbol.asyncDispose]();
    },
  };
}

function howOf({ type, mode = 'min', compression }: CacheExportRequest) {
  return { mode, compression: compression ?? (type === 'registry' ? 'gzip' : 'zstd') } as const;
}

function placeOf(
  location: CacheLocation,
  access: RegistryAccess,
  repositories: KnownRepositories,
): CachePlace {
  if (location.type === 'local')
    return new FolderCache(location.folder, location.tag ?? 'latest', location.digest);
  const reference = parseReference(location.reference);
  if (!reference.ok) throw buildError('invalid-request', `the name of a cache: ${reference.error}`);
  return new RegistryCache(reference.value, access, repositories);
}
