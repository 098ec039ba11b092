import type { Diagnostic, DiagnosticCode, Dockerfile, Range, Stage } from '@caisson/parser';
import { BuildError, type Failure } from '../failure.ts';
import { failureOf, failuresIn, inFileOrder } from './failure-at.ts';
import { Planner, type PlanProblem, type PlanSettings } from './planner.ts';
import { emptyImage } from './stage-base.ts';

/** What a Dockerfile has of errors before anything is planned. */
export interface ReadingErrors {
  readonly errors: readonly Diagnostic[];
  /** The instructions that an error is in, by their names in upper case, as far as it is known what they are. */
  readonly faulty: ReadonlySet<string>;
}

/** Errors behind which a file is most likely not what was read of it. */
const MISLEADING: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  'empty-file',
  'invalid-directive',
  'invalid-heredoc',
  'line-too-long',
  'missing-from',
  'unsupported-syntax',
]);

/**
 * All that is known to be wrong with a Dockerfile that cannot be read as a whole: besides the errors of reading it, what
 * is wrong with the rest, unless that may follow from them. Nothing is fetched for it.
 * @param stages what would be planned
 */
export async function knownProblems(
  dockerfile: Dockerfile,
  { errors, faulty }: ReadingErrors,
  stages: readonly Stage[],
  settings: Omit<PlanSettings, 'openContext' | 'resolveImage'>,
): Promise<Failure[]> {
  const read = failuresIn(dockerfile, errors);
  if (faulty.has('FROM') || errors.some(({ code }) => MISLEADING.has(code)))
    return inFileOrder(dockerfile, read);
  const planner = new Planner(dockerfile, {
    ...settings,
    openContext: () => Promise.resolve(undefined),
    resolveImage: (_name, platform) => Promise.resolve(emptyImage(platform)),
  });
  try {
    for (const stage of stages) await planner.plan(stage);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
  }
  const more = planner.problems.filter(
    (problem) =>
      isCertain(problem, faulty) && !errors.some(({ range }) => overlaps(range, problem.diagnostic.range)),
  );
  return inFileOrder(dockerfile, [
    ...read,
    ...more.map(({ diagnostic, place }) => failureOf(diagnostic, place)),
  ]);
}

/** Whether a problem is one whatever the variables are: an ARG may be faulty, and what base images set is not known. */
function isCertain({ diagnostic, place }: PlanProblem, faulty: ReadonlySet<string>): boolean {
  const { start, end } = place.range;
  if (!place.source.text.slice(start.offset, end.offset).includes('$')) return true;
  return diagnostic.code === 'invalid-base' && !faulty.has('ARG');
}

function overlaps(a: Range, b: Range): boolean {
  return a.start.offset < b.end.offset && b.start.offset < a.end.offset;
}
