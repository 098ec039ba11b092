import type { BytePath } from '@caisson/layer';
import type { LocalContext } from '../context/local-context.ts';
import { mountedFiles } from '../plan/mounted-files.ts';
import type { PlannedStep } from '../plan/planned.ts';
import type { SourcesOf } from '../steps/select-all.ts';
import { selectedAreas, type Area, type PathKind } from './selected-areas.ts';

/** What of the host's files steps depend on. Paths are absolute. */
export interface Inputs {
  /** The same for inputs that are the same. */
  readonly identity: string;
  /** The folders of the contexts that the steps take something from. */
  readonly folders: readonly string[];
  /**
   * Whether something that happens at a path can change what a step selects: that it is made, written, removed.
   * @param kind what is there, or was
   */
  covers(path: string, kind: PathKind): boolean;
  /**
   * Whether what is at a path is other than it was when a context looked at it.
   * @param unseen the answer for what none has looked at
   */
  hasChanged(path: string, unseen: boolean): boolean;
  /** Whether anything in a folder, or below, is covered: others need not be watched. */
  reaches(folder: string): boolean;
}

/**
 * What steps depend on: whatever the sources of their COPY and ADD from a context select, and their mounts of one, after
 * `.dockerignore` and `--exclude`. It holds for the files as they are: after a change that it covers, ask again.
 *
 * It follows how sources are selected (copy/select-sources.ts), but asks for paths that may come to be:
 * - of a plain path all of it counts, and each name on the way, since links are followed there;
 * - of a pattern each path that fits, there or not, with what is in it; names that fit its beginning count as folders
 *   only, since nothing else is entered; a link that fits counts with what it leads to;
 * - what an ignore file hides from the context counts for nothing. The ignore file does, but not here: with another one,
 *   it is another context.
 *
 * A file with several names is covered by those that are selected: nothing tells of it when it is written by another.
 * @param counts whether a context may change at all
 */
export function inputsOf(
  steps: Iterable<PlannedStep>,
  counts: (context: LocalContext) => boolean = () => true,
): Inputs {
  const areas = new Map<LocalContext, Area[]>();
  for (const { context, ...request } of selectionsOf(steps)) {
    if (!counts(context)) continue;
    const known = areas.get(context) ?? [];
    areas.set(context, known);
    for (const area of selectedAreas(context, request)) known.push(area);
  }
  const some = (path: string, test: (area: Area, at: BytePath, context: LocalContext) => boolean): boolean =>
    [...areas].some(([context, all]) => {
      const at = context.pathOf(path);
      return at !== undefined && all.some((area) => test(area, at, context));
    });
  const identities = [...areas].map(([{ folder, rules }, all]) => [
    folder,
    rules.text,
    [...new Set(all.map(({ identity }) => identity))].toSorted(),
  ]);
  return {
    identity: JSON.stringify(identities),
    folders: [...new Set([...areas.keys()].map(({ folder }) => folder))],
    covers: (path, kind) =>
      some(path, (area, at, context) => context.mayHave(at, kind) && area.covers(at, kind)),
    hasChanged: (path, unseen) => [...areas.keys()].some((context) => context.hasChanged(path, unseen)),
    reaches: (folder) =>
      some(folder, (area, at, context) => context.mayHave(at, 'folder') && area.reaches(at)),
  };
}

/** What steps select from contexts. */
function* selectionsOf(
  steps: Iterable<PlannedStep>,
): Generator<SourcesOf & { readonly context: LocalContext }> {
  for (const step of steps) {
    if (step.kind === 'workdir') continue;
    if (step.kind !== 'run') {
      if (step.from.kind === 'context') yield { ...step, context: step.from.context };
      continue;
    }
    for (const mount of step.mounts) {
      const files = mountedFiles(mount);
      if (files?.from.kind === 'context') yield { sources: [files.source], context: files.from.context };
    }
  }
}
