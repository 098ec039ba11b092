import { matchesGlob } from 'node:path';
import type { BuildCase } from '../../test/rig/build-case.ts';
import type { Outcome } from './builders.ts';
import { compareImages, type Difference } from './compare-images.ts';

/** What the comparison of a case gave. */
export interface Verdict {
  readonly each: BuildCase;
  /** Whether both builders refused the case. */
  readonly bothFail: boolean;
  /** Differences that the case does not explain. */
  readonly unexplained: readonly Difference[];
  /** Explanations of the case for what is no difference any more. */
  readonly needless: readonly string[];
}

/** Compares what two builders made of a case, and takes off what the case says may differ. */
export function judge(each: BuildCase, theirs: Outcome, ours: Outcome): Verdict {
  const differences = differencesOf(theirs, ours);
  const explanations = (each.expect.differences ?? []).flatMap(({ where }) => where);
  return {
    each,
    bothFail: theirs.kind === 'failure' && ours.kind === 'failure',
    unexplained: differences.filter((one) => !explanations.some((pattern) => explains(pattern, one))),
    needless: explanations.filter((pattern) => !differences.some((one) => explains(pattern, one))),
  };
}

function explains(pattern: string, { where }: Difference): boolean {
  return matchesGlob(where, pattern);
}

function differencesOf(theirs: Outcome, ours: Outcome): Difference[] {
  if (theirs.kind === 'image' && ours.kind === 'image') return compareImages(theirs.image, ours.image);
  if (theirs.kind === ours.kind) return [];
  const [who, failed] = theirs.kind === 'failure' ? ['docker', theirs] : ['ours', ours];
  return [
    { where: 'outcome', how: `only ${who} fails: ${failed.kind === 'failure' ? tail(failed.said) : ''}` },
  ];
}

/** The end of what a builder said. */
function tail(said: string): string {
  const lines = said.trim().split('\n');
  return lines.slice(-6).join('\n    ');
}
