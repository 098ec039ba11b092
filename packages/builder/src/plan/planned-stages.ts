import { mountedFiles } from './mounted-files.ts';
import type { CopyOrigin, PlannedStage, PlannedStep } from './planned.ts';

/** A stage and those that it builds on, the lowest first. */
export function chainOf(stage: PlannedStage): PlannedStage[] {
  const chain: PlannedStage[] = [stage];
  for (let { base } = stage; base.kind === 'stage'; { base } = base.stage) chain.push(base.stage);
  return chain.toReversed();
}

/** Stages and all that they need, in the order of the Dockerfile: each behind what it needs. */
export function stagesOf(...targets: readonly PlannedStage[]): PlannedStage[] {
  const found = new Set(targets);
  // A set gives what is added to it while it is gone through, too.
  for (const { base, steps } of found) {
    if (base.kind === 'stage') found.add(base.stage);
    for (const from of steps.flatMap(originsOf)) if (from.kind === 'stage') found.add(from.stage);
  }
  return [...found].toSorted((a, b) => a.index - b.index);
}

/** Where a step takes files from, besides the state before it. */
function originsOf(step: PlannedStep): CopyOrigin[] {
  switch (step.kind) {
    case 'copy':
    case 'add':
    case 'from':
      return [step.from];
    case 'run':
      return step.mounts.flatMap((mount) => mountedFiles(mount)?.from ?? []);
    case 'workdir':
      return [];
  }
}
