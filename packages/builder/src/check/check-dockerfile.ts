import { err, ok, type Result } from '@caisson/oci';
import {
  parseDockerfile,
  suggestStage,
  targetStage,
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
import { failureOf, failuresIn, inFileOrder } from '../plan/failure-at.ts';
import { knownProblems, type ReadingErrors } from '../plan/known-problems.ts';
import { chooseTarget } from '../plan/plan-build.ts';
import type { Place } from '../plan/planned.ts';
import { Planner } from '../plan/planner.ts';
import { allPlatformsOf } from '../platforms.ts';
import type { BuildRequest, Entitlement } from '../request.ts';
import { sourceDateEpoch } from '../source-date-epoch.ts';
import { openWorkshop, type Workshop } from '../workshop.ts';
import { lintPlan, lintViolation, type LintRequest } from './lint-plan.ts';
import { TolerantBases, type MissedImage } from './tolerant-bases.ts';

/** What to check: what a build of it would be asked for. Without a target, all stages are checked; for each platform. */
export type CheckRequest = Pick<
  BuildRequest,
  | 'root'
  | 'context'
  | 'dockerfile'
  | 'dockerfileText'
  | 'cwd'
  | 'buildContexts'
  | 'target'
  | 'platforms'
  | 'buildArgs'
  | 'sourceDateEpoch'
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
    const { dockerfile, diagnostics, faulty } = parseDockerfile(text, {
      path,
      ...(syntax === undefined ? {} : { syntax }),
    });
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const checked: CheckedDockerfile[] = [];
    for (const platforms of allPlatformsOf(request.platforms))
      checked.push(
        await checkStages(dockerfile, { ...request, platforms, buildArgs, errors, faulty }, workshop),
      );
    return ok(merged(dockerfile, checked));
  } catch (error) {
    const failures = failuresOf(error);
    if (failures === undefined) throw error;
    return err(failures);
  }
}

const HOST_NETWORK: ReadonlySet<Entitlement> = new Set<Entitlement>(['network.host']);

async function checkStages(
  dockerfile: Dockerfile,
  request: Pick<CheckRequest, 'target'> & Pick<LintRequest, 'buildArgs' | 'platforms'> & ReadingErrors,
  { source: { context }, contexts, bases }: Workshop,
): Promise<CheckedDockerfile> {
  const { target, buildArgs, errors, platforms } = request;
  const { args, problems } = globalArgs(dockerfile, buildArgs, platforms, target);
  const settings = {
    buildArgs,
    globalArgs: args,
    network: 'host' as const,
    allow: HOST_NETWORK, // that is for whoever builds to say
    platform: platforms.target,
    context,
  };
  if (errors.length > 0) {
    const stage = targetStage(dockerfile, target);
    const wanted = target === undefined ? dockerfile.stages : stage === undefined ? [] : [stage];
    return resultOf(dockerfile, { failures: await knownProblems(dockerfile, request, wanted, settings) });
  }
  const stages = target === undefined ? dockerfile.stages : [chooseTarget(dockerfile, target)];
  const tolerant = new TolerantBases((...image) => bases.resolve(...image));
  const planner = new Planner(dockerfile, {
    ...settings,
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
  const { warnings, rulesThatNeedBase } = lint;
  const violation = lintViolation(dockerfile, lint, buildArgs);
  const planned = planner.problems
    // A variable that the base sets looks unset where the base is not known.
    .filter(({ diagnostic }) => unknown.size === 0 || diagnostic.code !== 'invalid-expansion')
    .map(({ diagnostic, place }) => failureOf(diagnostic, place));
  return resultOf(dockerfile, {
    warnings,
    failures: [
      ...failuresIn(dockerfile, [...problems, ...lint.errors]),
      ...planned,
      ...tolerant.missed
        .filter(({ isOutOfReach }) => !isOutOfReach)
        .map((each) => missedStage(dockerfile, each)),
      ...(violation === undefined ? [] : [violation]),
    ],
    unchecked: uncheckedBases(tolerant, planner, rulesThatNeedBase),
  });
}

/** What holds for several platforms is said once. */
function merged(dockerfile: Dockerfile, checked: readonly CheckedDockerfile[]): CheckedDockerfile {
  const [only, ...others] = checked;
  if (only !== undefined && others.length === 0) return only;
  const warnings = checked.flatMap((each) => each.warnings);
  const failures = checked.flatMap((each) => each.failures);
  const unchecked = checked.flatMap((each) => each.unchecked);
  return resultOf(dockerfile, {
    warnings: unique(
      warnings,
      ({ code, range, message }) => `${code} ${range.start.offset} ${message}`,
    ).toSorted((a, b) => a.range.start.offset - b.range.start.offset),
    failures: unique(
      failures,
      ({ code, place, message }) => `${code} ${place?.range?.start.offset} ${message}`,
    ),
    unchecked: unique(unchecked, ({ place, message }) => `${place?.range?.start.offset} ${message}`),
  });
}

function unique<T>(all: readonly T[], nameOf: (each: T) => string): T[] {
  return [...new Map(all.map((each) => [nameOf(each), each])).values()];
}

function uncheckedBases(
  { missed }: TolerantBases,
  { begun }: Planner,
  rules: readonly RuleName[],
): UncheckedBase[] {
  const bases = new Set(
    [...begun.values()].map(({ base }) => (base.kind === 'image' ? base.image : undefined)),
  );
  return missed
    .filter(({ image, isOutOfReach }) => isOutOfReach && bases.has(image))
    .map(({ image: { name }, failure: { message, place } }) => ({ name, message, place, rules }));
}

/** What is no image may have been meant to be a stage. */
function missedStage(dockerfile: Dockerfile, { failure, written }: MissedImage): Failure {
  const near = suggestStage(dockerfile, written);
  return near === undefined ? failure : { ...failure, suggestion: `the stage ${near}` };
}

function resultOf(
  dockerfile: Dockerfile,
  { warnings = [], failures = [], unchecked = [] }: Partial<Omit<CheckedDockerfile, 'path' | 'source'>>,
): CheckedDockerfile {
  const { path, source } = dockerfile;
  return { path, source, warnings, failures: inFileOrder(dockerfile, failures), unchecked };
}
