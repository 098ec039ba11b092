import { err, ok, type Result } from '@caisson/oci';
import {
  parseDockerfile,
  suggestStage,
  type Diagnostic,
  type Dockerfile,
  type LintWarning,
  type RuleName,
  type SourceText,
} from '@caisson/parser';
import { BuildClock } from '../build-clock.ts';
import type { Emit } from '../events.ts';
import type { Failure } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import { globalArgs } from '../plan/global-args.ts';
import { chooseTarget, failureOf } from '../plan/plan-build.ts';
import type { Place } from '../plan/planned.ts';
import { Planner } from '../plan/planner.ts';
import { platformsOf } from '../platforms.ts';
import type { BuildRequest } from '../request.ts';
import { sourceDateEpoch } from '../source-date-epoch.ts';
import { openWorkshop, type Workshop } from '../workshop.ts';
import { lintPlan, lintViolation, type LintRequest } from './lint-plan.ts';
import { TolerantBases, type MissedImage } from './tolerant-bases.ts';

/** What to check: what a build of it would be asked for. Without a target, all stages are checked. */
export type CheckRequest = Pick<
  BuildRequest,
  | 'root'
  | 'context'
  | 'dockerfile'
  | 'dockerfileText'
  | 'cwd'
  | 'buildContexts'
  | 'target'
  | 'buildArgs'
  | 'sourceDateEpoch'
  | 'platform'
  | 'pull'
  | 'registry'
  | 'signal'
>;

/** What a check has found. */
export interface CheckedDockerfile {
  readonly path: string;
  readonly source: SourceText;
  /** What the rules found, each with its rule as the code; in the order of the file. */
  readonly warnings: readonly LintWarning[];
  /** Why it could not be built, in the order of the file. */
  readonly failures: readonly Failure[];
  /** The base images that may well be there, but could not be reached. */
  readonly unchecked: readonly UncheckedBase[];
}

/** A base image that could not be looked at, and what was not checked therefore. */
export interface UncheckedBase {
  readonly name: string;
  /** Why. */
  readonly message: string;
  readonly place: Place | undefined;
  /** The rules that say nothing of what builds on it. */
  readonly rules: readonly RuleName[];
}

/**
 * Checks a Dockerfile: its errors, and what the rules of the lint have to say. Nothing is built; of base images the
 * configs are looked at, and one that cannot be reached keeps only the rules that need it from being checked.
 * @param emit told of warnings that are not about the Dockerfile
 * @returns what was found; or why nothing could be checked
 */
export async function check(
  request: CheckRequest,
  emit: Emit = () => {},
): Promise<Result<CheckedDockerfile, readonly Failure[]>> {
  try {
    const { sourceDateEpoch: epoch, buildArgs } = sourceDateEpoch(request);
    await using workshop = await openWorkshop(request, { clock: new BuildClock(epoch), emit });
    const { path, text } = workshop.source;
    const syntax = buildArgs.get('BUILDKIT_SYNTAX');
    const { dockerfile, diagnostics } = parseDockerfile(text, {
      path,
      ...(syntax === undefined ? {} : { syntax }),
    });
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    // What could not be read makes the rest look other than it is: it is told alone.
    if (errors.length > 0) return ok(resultOf(dockerfile, { failures: failuresIn(dockerfile, errors) }));
    return ok(await checkStages(dockerfile, { ...request, buildArgs }, workshop));
  } catch (error) {
    const failures = failuresOf(error);
    if (failures === undefined) throw error;
    return err(failures);
  }
}

async function checkStages(
  dockerfile: Dockerfile,
  request: Pick<CheckRequest, 'target' | 'platform'> & Pick<LintRequest, 'buildArgs'>,
  { source: { context }, contexts, bases }: Workshop,
): Promise<CheckedDockerfile> {
  const { target, buildArgs } = request;
  const stages = target === undefined ? dockerfile.stages : [chooseTarget(dockerfile, target)];
  const platforms = platformsOf(request.platform);
  const { args, problems } = globalArgs(dockerfile, buildArgs, platforms, target);
  const tolerant = new TolerantBases((...image) => bases.resolve(...image));
  const planner = new Planner(dockerfile, {
    buildArgs,
    globalArgs: args,
    network: 'host',
    allow: new Set(['network.host']), // that is for whoever builds to say
    platform: platforms.target,
    context,
    openContext: (...name) => contexts.open(...name),
    resolveImage: (...image) => tolerant.resolve(...image),
  });
  await Promise.all(stages.map((stage) => planner.plan(stage)));
  const unknown = new Set(tolerant.missed.map(({ image }) => image));
  const lint = lintPlan(dockerfile, planner, {
    target,
    buildArgs,
    globalArgs: args,
    platforms,
    context,
    unknown,
  });
  const { warnings, errors, rulesThatNeedBase } = lint;
  const violation = lintViolation(dockerfile, lint, buildArgs);
  const planned = planner.problems
    // A variable that the base sets looks unset where the base is not known.
    .filter(({ diagnostic }) => unknown.size === 0 || diagnostic.code !== 'invalid-expansion')
    .map(({ diagnostic, place }) => failureOf(diagnostic, place));
  const isBase = (missed: MissedImage): boolean =>
    [...planner.begun.values()].some(({ base }) => base.kind === 'image' && base.image === missed.image);
  return resultOf(dockerfile, {
    warnings,
    failures: [
      ...failuresIn(dockerfile, [...problems, ...errors]),
      ...planned,
      ...tolerant.missed
        .filter(({ isOutOfReach }) => !isOutOfReach)
        .map((each) => missedStage(dockerfile, each)),
      ...(violation === undefined ? [] : [violation]),
    ],
    unchecked: tolerant.missed
      .filter((each) => each.isOutOfReach && isBase(each))
      .map(({ image: { name }, failure: { message, place } }) => ({
        name,
        message,
        place,
        rules: rulesThatNeedBase,
      })),
  });
}

/** What is no image may have been meant to be a stage. */
function missedStage(dockerfile: Dockerfile, { failure, written }: MissedImage): Failure {
  const near = suggestStage(dockerfile, written);
  return near === undefined ? failure : { ...failure, suggestion: `the stage ${near}` };
}

function resultOf(
  { path, source }: Dockerfile,
  { warnings = [], failures = [], unchecked = [] }: Partial<Omit<CheckedDockerfile, 'path' | 'source'>>,
): CheckedDockerfile {
  const inOrder = failures.toSorted((a, b) => lineOf(a) - lineOf(b));
  return { path, source, warnings, failures: inOrder, unchecked };
}

function lineOf({ place }: Failure): number {
  return place?.range.start.line ?? Number.MAX_SAFE_INTEGER;
}

function failuresIn({ path, source }: Dockerfile, errors: readonly Diagnostic[]): Failure[] {
  return errors.map((error) => failureOf(error, { path, source, range: error.range }));
}
