import type { BuildReport, ReportedStep } from '@caisson/builder';
import { UsageError } from './usage-error.ts';

/** The steps of a build that somebody means, by number or by name. @throws UsageError where there is none */
export function chooseSteps({ steps }: BuildReport, which: string): readonly ReportedStep[] {
  const wanted = which.replace(/^#/, '');
  const found = steps.filter(({ id, name }) => String(id) === wanted || name === which);
  if (found.length > 0) return found;
  const last = steps.length;
  throw new UsageError(`the build has no step ${JSON.stringify(which)}`, {
    expected:
      last === 0
        ? 'a build with steps'
        : `${last === 1 ? '1' : `1 to ${last}`}, or a name like ${JSON.stringify(steps[0]?.name)}`,
  });
}
