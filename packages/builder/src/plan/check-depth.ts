import { buildError } from '../failure.ts';
import type { PlannedStage } from './planned.ts';
import { stagesOf } from './planned-stages.ts';

/** How many layers a stage may add to its image. Docker's images have 127 at most. */
const MAX_STEPS = 1000;

/**
 * Refuses what would take minutes and be of no use: a layer costs as much again for each that lies below it.
 * @throws BuildError `too-many-steps`
 */
export function checkDepth(target: PlannedStage): void {
  const depths = new Map<PlannedStage, number>();
  for (const stage of stagesOf(target)) {
    const { base, steps, title } = stage;
    const below = base.kind === 'stage' ? (depths.get(base.stage) ?? 0) : 0;
    const tooMany = steps[MAX_STEPS - below];
    if (tooMany !== undefined) {
      throw buildError('too-many-steps', `${title} has more than ${MAX_STEPS} steps, one on the other`, {
        place: tooMany.place,
        expected: `at most ${MAX_STEPS}`,
        hint: 'one RUN can hold many commands, in a heredoc or with &&',
      });
    }
    depths.set(stage, below + steps.length);
  }
}
