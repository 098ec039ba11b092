import type { StepInfo } from '../events.ts';
import type { PlannedStage, PlannedStep } from '../plan/planned.ts';
import { stagesOf } from '../plan/planned-stages.ts';

/** The steps that a stage and those that it needs have, with what people call them, in the order of the Dockerfile. */
export function nameSteps(target: PlannedStage): Map<PlannedStep, StepInfo> {
  const stages = stagesOf(target);
  const named = new Map<PlannedStep, StepInfo>();
  for (const { steps, title } of stages) {
    const first = steps[0]?.kind === 'from' ? 1 : 2; // FROM is the first, most often not a step
    for (const [index, step] of steps.entries()) {
      const position = `${index + first}/${steps.length + first - 1}`;
      const name = stages.length === 1 && title === 'stage-0' ? position : `${title} ${position}`;
      named.set(step, { id: named.size + 1, name, text: step.text, place: step.place });
    }
  }
  return named;
}
