import { digestOf, type Digest } from '@caisson/oci';
import { selectionDigest } from '../copy/selection-digest.ts';
import { KeyParts } from '../solve/key-parts.ts';
import { stateDigest, type FileState } from '../state.ts';
import { selectAll, type SourcesOf } from './select-all.ts';
import type { SharedSelection } from '../cache/cache-document.ts';
import type { StepScope } from './step-scope.ts';

/** Raised by whatever changes what a selection counts as. */
const VERSION = 3;

/**
 * What files of a state, of another stage or an image, count as in a key. It is remembered: then nothing of the state is
 * read.
 * @param title what messages call the state
 * @throws BuildError `missing-source`
 */
export async function selectionOfState(
  scope: StepScope,
  title: string,
  state: FileState,
  request: SourcesOf,
  signal: AbortSignal,
): Promise<Digest> {
  const { sources, excludes = [], hasParents = false } = request;
  const { imported } = scope;
  const { lookUps, pastRecords } = scope.store;
  const of = stateDigest(state);
  const texts = sources.map((source) => {
    if (source.kind !== 'path') return '';
    return source.isLiteral === true ? [source.text] : source.text;
  });
  const name = digestOf(JSON.stringify([VERSION, excludes, hasParents, ...texts]));
  const known = lookUps.selection(of, name) ?? (await imported.selection(of, name));
  if (known !== undefined) {
    share(scope, { state: of, selection: name, digest: known });
    return known;
  }
  const tree = await scope.chains.origin(title, state, signal);
  const parts = new KeyParts();
  const digest = await selectionDigest(tree, selectAll(tree, request), parts, signal);
  pastRecords.addParts(parts.texts);
  lookUps.rememberSelection(of, name, digest);
  share(scope, { state: of, selection: name, digest });
  return digest;
}

function share({ exports }: StepScope, selection: SharedSelection): void {
  for (const each of exports) each.addSelection(selection);
}
