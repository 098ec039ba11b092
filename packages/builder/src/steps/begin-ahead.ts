import { canRunProgramsOf } from '@caisson/runtime';
import { isBuiltOn } from '../cache/layer-content.ts';
import { mountedFiles } from '../plan/mounted-files.ts';
import { chainOf } from '../plan/planned-stages.ts';
import type { CopyOrigin, PlannedCopy, PlannedStage, PlannedStep } from '../plan/planned.ts';
import { stateDigest, type FileState } from '../state.ts';
import { standsAlone } from './copy-op.ts';
import type { StepScope } from './step-scope.ts';

/** What a build needs an image for. */
interface Use {
  readonly state: FileState;
  readonly as: 'mounted' | 'looked into' | 'copied from';
  /** What a cache has of it, if it has what the build makes with it; undefined where that cannot be known yet. */
  readonly known: 'layers' | 'selections' | undefined;
}

/**
 * Begins with what comes from elsewhere and will be asked for, often only when other steps are done. Nobody waits for it here;
 * whoever needs it does, and tells what went wrong.
 */
export function beginAhead(scope: StepScope, stages: readonly PlannedStage[]): void {
  beginImages(scope, stages);
  for (const { steps } of stages) {
    for (const step of steps) if (step.kind === 'add') beginSources(scope, step);
  }
}

/** Servers and repositories are asked at each build, whatever the cache has. */
function beginSources({ remote, git, ends }: StepScope, { sources }: PlannedCopy): void {
  for (const source of sources) {
    if (source.kind === 'remote') remote.get(source.url, ends).catch(() => {});
    if (source.kind === 'git') git.commit(source.reference, ends).catch(() => {});
  }
}

/**
 * The images on which nothing was ever built are fetched and unpacked: what stands on them is in no cache, so their files are
 * needed.
 */
function beginImages(scope: StepScope, stages: readonly PlannedStage[]): void {
  if (!stages.every(canRun)) return; // it ends before it needs them
  const uses = [...usesOf(stages)];
  for (const { state, as } of uses) if (as === 'mounted') scope.chains.willMount(state);
  for (const use of uses) beginImage(scope, use).catch(() => {});
}

function canRun({ platform, steps }: PlannedStage): boolean {
  return canRunProgramsOf(platform) || !steps.some(({ kind }) => kind === 'run');
}

async function beginImage(scope: StepScope, use: Use): Promise<void> {
  const { store, chains, clock, imported, ends } = scope;
  const { state, as, known } = use;
  if (known === undefined) return;
  const of = stateDigest(state);
  const isKnown =
    known === 'selections'
      ? store.lookUps.hasSelections(of)
      : isBuiltOn(store, { state: of, epoch: clock.latest?.seconds });
  if (isKnown || (await imported.knows(of)) || ends.aborted) return;
  await (as === 'copied from' ? chains.beginOrigin(state) : chains.view(state));
}

function* usesOf(stages: readonly PlannedStage[]): Generator<Use> {
  for (const stage of stages) {
    const chain = chainOf(stage);
    const base = chain[0]?.base;
    if (base?.kind === 'image' && stage.steps.some(needsStateBefore)) {
      const isMounted = stage.steps.some(({ kind }) => kind === 'run');
      // Behind a step that stands alone, nothing is made on the image itself: no cache could know it.
      const [first] = chain.flatMap(({ steps }) => steps);
      const known = first !== undefined && needsStateBefore(first) ? 'layers' : undefined;
      yield { state: base.image.state, as: isMounted ? 'mounted' : 'looked into', known };
    }
    for (const step of stage.steps) yield* originsOf(step);
  }
}

/** What is linked is written as if there was nothing before it. */
function needsStateBefore(step: PlannedStep): boolean {
  return step.kind === 'run' || step.kind === 'workdir' || !standsAlone(step);
}

function* originsOf(step: PlannedStep): Generator<Use> {
  switch (step.kind) {
    case 'run':
      for (const mount of step.mounts) yield* imageOf(mountedFiles(mount)?.from, 'mounted');
      return;
    case 'copy':
    case 'add':
    case 'from':
      yield* imageOf(step.from, 'copied from');
      return;
    case 'workdir':
      return;
  }
}

function* imageOf(from: CopyOrigin | undefined, as: Use['as']): Generator<Use> {
  if (from?.kind === 'image') yield { state: from.image.state, as, known: 'selections' };
}
