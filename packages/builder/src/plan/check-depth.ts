import {
  expandWord,
  flagValue,
  stageOfCopy,
  stageOfFrom,
  type Dockerfile,
  type Stage,
} from '@caisson/parser';
import { buildError } from '../failure.ts';

/** How many steps may depend on one another. Docker's images have 127 layers at most. */
const MAX_DEPTH = 1000;
const STEPS: ReadonlySet<string> = new Set(['run', 'copy', 'add', 'workdir']);

/**
 * Looks at how many steps a stage needs one after the other: what plans and solves them goes down as deep.
 * @throws BuildError `too-many-steps`
 */
export function checkDepth(
  dockerfile: Dockerfile,
  target: Stage,
  globalArgs: ReadonlyMap<string, string>,
): void {
  const depths: number[] = [];
  for (const stage of dockerfile.stages.slice(0, target.index + 1)) {
    const below = stagesBelow(dockerfile, stage, globalArgs).map(({ index }) => depths[index] ?? 0);
    const own = stage.instructions.filter(({ kind }) => STEPS.has(kind)).length;
    depths.push(1 + own + below.reduce((most, depth) => Math.max(most, depth), 0));
  }
  const depth = depths[target.index] ?? 0;
  if (depth <= MAX_DEPTH) return;
  const { path, source } = dockerfile;
  throw buildError('too-many-steps', `the stage needs ${depth} steps, one after the other`, {
    place: { path, source, range: target.from.range },
    expected: `at most ${MAX_DEPTH}`,
    hint: 'one RUN can hold many commands, in a heredoc or with &&',
  });
}

/** The stages that a stage builds on or copies from. */
function stagesBelow(dockerfile: Dockerfile, stage: Stage, globalArgs: ReadonlyMap<string, string>): Stage[] {
  const image = expandWord(stage.from.image.text, globalArgs, { escape: dockerfile.escape });
  const base = image.ok ? stageOfFrom(dockerfile, image.value, stage) : undefined;
  const origins = stage.instructions.flatMap((instruction) => {
    const name = instruction.kind === 'copy' ? flagValue(instruction.flags, 'from') : undefined;
    const found = name === undefined ? undefined : stageOfCopy(dockerfile, name, stage, instruction.range);
    return found !== undefined && 'stage' in found && found.stage !== undefined ? [found.stage] : [];
  });
  return base === undefined ? origins : [base, ...origins];
}
