import { statSync } from 'node:fs';
import { digestInTar, hostPath, isMapOf, unmappable, type Toc } from '@caisson/layer';
import type { DiffId, Digest } from '@caisson/oci';
import type { FormId, Problem, Store } from '@caisson/store';
import { mapProblem } from './form-problem.ts';

/**
 * Looks at the map of a layer and at the tar beside it, where they are there: each is a function of the layer.
 * @param toc what the layer gives
 */
export function* verifyMap(store: Store, form: FormId, toc: Toc, diffId: DiffId): Generator<Problem> {
  const { maps } = store;
  if (
    maps.mayHave(form, 'map') &&
    !(unmappable(toc) === undefined && isMapOf(toc, hostPath(maps.path(form, 'map'))))
  )
    yield mapProblem(store, form, 'map');
  if (
    maps.mayHave(form, 'tar') &&
    digestOfFile(maps.path(form, 'tar')) !== (diffId satisfies Digest as Digest)
  )
    yield mapProblem(store, form, 'tar');
}

function digestOfFile(path: string): Digest {
  return digestInTar(hostPath(path), { size: statSync(path).size });
}
