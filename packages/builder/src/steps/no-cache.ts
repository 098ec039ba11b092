import { optionWords } from '../option-words.ts';
import type { BuildRequest } from '../request.ts';
import type { Emit } from '../events.ts';
import type { PlannedStage } from '../plan/planned.ts';
import { suggest } from '@caisson/parser';

/** Which stages run without the cache, by their titles. */
export type IgnoresCache = (stage: string) => boolean;

/** The stages that a request has run anew: all, or some by name (or `stage-0`, or `0`, where there is none). */
export function ignoresCache({ noCache, noCacheFilter = [] }: BuildRequest): IgnoresCache {
  const names = new Set(noCacheFilter.map(titleOf));
  return (stage) => noCache === true || names.has(stage.toLowerCase());
}

/** Says of names that no stage has that they had no effect. */
export function warnOfUnknownStages(
  { noCacheFilter = [] }: BuildRequest,
  stages: readonly PlannedStage[],
  emit: Emit,
): void {
  const titles = stages.map(({ title }) => title);
  for (const name of noCacheFilter) {
    if (titles.some((title) => title.toLowerCase() === titleOf(name))) continue;
    const suggestion = suggest(name, titles);
    emit({
      kind: 'warning',
      message: `the build has no stage ${JSON.stringify(name)}: ${optionWords().noCacheFilter(name)} has no effect`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

function titleOf(name: string): string {
  return /^\d+$/.test(name) ? `stage-${name}` : name.toLowerCase();
}
