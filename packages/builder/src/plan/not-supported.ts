import { errorAt, type Flag, type Word } from '@caisson/parser';
import type { StageDraft } from './stage-draft.ts';

/** What the language has and Caisson does not have yet is an error that names it, never passed over. */
export function refuseFlags(
  draft: StageDraft,
  keyword: string,
  flags: readonly Flag[],
  names: readonly string[],
): void {
  for (const flag of flags) {
    if (!names.includes(flag.name)) continue;
    if (flag.name === 'security' && flag.value === 'sandbox') continue;
    draft.settings.report(notSupported({ text: '', range: flag.range }, `${keyword} --${flag.name}`));
  }
}

/** What is told of something that Caisson does not have yet. */
export function notSupported({ range }: Word, what: string): ReturnType<typeof errorAt> {
  return errorAt(range, 'not-supported', `${what} is not supported yet`);
}
