import { formatPlatform } from '@caisson/oci';
import type { StepInfo } from '../events.ts';
import type { PlannedTarget } from '../plan/plan-build.ts';
import type { PlannedStage, PlannedStep } from '../plan/planned.ts';
import { stagesOf } from '../plan/planned-stages.ts';

/**
 * The steps that targets need, with what people call them, in the order of the Dockerfile. Where there are several targets, a
 * name begins with the platform of its stage, as with docker: `linux/arm64 build 2/4`, or `linux/amd64->arm64 build 2/4`.
 */
export function nameSteps(targets: readonly PlannedTarget[]): Map<PlannedStep, StepInfo> {
  const named = new Map<PlannedStep, StepInfo>();
  for (const target of targets) {
    const stages = stagesOf(target.stage);
    for (const stage of stages) {
      const { steps, title } = stage;
      const first = steps[0]?.kind === 'from' ? 1 : 2; // FROM is the first, most often not a step
      const isOne = targets.length === 1;
      const wanted = isOne ? {} : { platform: formatPlatform(target.platform) };
      const words = [
        ...(isOne ? [] : [platformWord(stage, target)]),
        ...(stages.length === 1 && title === 'stage-0' ? [] : [title]),
      ];
      for (const [index, step] of steps.entries()) {
        const position = `${index + first}/${steps.length + first - 1}`;
        const name = [...words, position].join(' ');
        const { text, place } = step;
        named.set(step, { id: named.size + 1, name, ...wanted, text, place });
      }
    }
  }
  return named;
}

/** What a stage is for; where that is not what the target is for, also what it works for. */
function platformWord({ platform: own }: PlannedStage, { platform: wanted }: PlannedTarget): string {
  const [name, goal] = [formatPlatform(own), formatPlatform(wanted)];
  if (name === goal) return name;
  return `${name}->${own.os === wanted.os ? goal.slice(wanted.os.length + 1) : goal}`;
}
