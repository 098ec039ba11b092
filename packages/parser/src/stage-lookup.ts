import type { Dockerfile, Stage } from './ast.ts';
import { errorAt, type Diagnostic } from './diagnostic.ts';
import type { Range } from './source-text.ts';
import { suggest } from './suggest.ts';

const byName = new WeakMap<Dockerfile, ReadonlyMap<string | undefined, readonly Stage[]>>();

/** The stages of a name, in order. */
function stagesNamed(dockerfile: Dockerfile, name: string): readonly Stage[] {
  const known = byName.get(dockerfile) ?? Map.groupBy(dockerfile.stages, (stage) => stage.name);
  byName.set(dockerfile, known);
  return known.get(name) ?? [];
}

/** The stage that FROM builds on: the last one before it with this name, to the letter; undefined for an image. */
export function stageOfFrom(dockerfile: Dockerfile, image: string, from: Stage): Stage | undefined {
  return stagesNamed(dockerfile, image).findLast(({ index }) => index < from.index);
}

/**
 * The stage that `--from` means: by number or by name, whatever its case, the last one of that name; undefined where
 * it is the name of no stage. A stage that comes later, or the stage itself, is an error.
 */
export function stageOfCopy(
  dockerfile: Dockerfile,
  name: string,
  current: Stage,
  range: Range,
): { readonly stage: Stage | undefined } | { readonly error: Diagnostic } {
  const stage = /^\d+$/.test(name)
    ? dockerfile.stages[Number(name)]
    : stagesNamed(dockerfile, name.toLowerCase()).at(-1);
  if (stage === undefined) {
    if (!/^\d+$/.test(name)) return { stage: undefined };
    return {
      error: errorAt(range, 'unknown-stage', `there is no stage ${name}`, { expected: stagesAbove(current) }),
    };
  }
  if (stage.index < current.index) return { stage };
  const message =
    stage.index === current.index
      ? `circular dependency detected on stage: ${name}`
      : `stage ${JSON.stringify(name)} needs to be defined before current stage`;
  return { error: errorAt(range, 'unknown-stage', message, { expected: stagesAbove(current) }) };
}

/** What a stage may take files from. */
function stagesAbove({ index }: Stage): string {
  if (index === 0) return 'an image: this is the first stage';
  return index === 1
    ? 'the stage above, by its name or as 0, or an image'
    : `a stage above, by its name or as a number from 0 to ${index - 1}, or an image`;
}

/** The stage to build: the last one, or the one of this name, whatever its case. */
export function targetStage(dockerfile: Dockerfile, target: string | undefined): Stage | undefined {
  if (target === undefined || target === '') return dockerfile.stages.at(-1);
  return stagesNamed(dockerfile, target.toLowerCase()).at(-1);
}

/** The name of a stage that somebody most likely meant. */
export function suggestStage(dockerfile: Dockerfile, name: string): string | undefined {
  return suggest(
    name,
    dockerfile.stages.flatMap((stage) => (stage.name === undefined ? [] : [stage.name])),
  );
}
