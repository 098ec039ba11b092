import { formatPlatform, type Platform } from '@caisson/oci';
import {
  isRuleName,
  parseDockerfile,
  suggestStage,
  targetStage,
  type Diagnostic,
  type Dockerfile,
  type LintResult,
  type LintWarning,
  type Stage,
} from '@caisson/parser';
import { allDone } from '../all-done.ts';
import { lintPlan, lintViolation } from '../check/lint-plan.ts';
import type { LocalContext } from '../context/local-context.ts';
import type { Emit } from '../events.ts';
import { Once } from '../once.ts';
import { BuildError, buildError, type Failure } from '../failure.ts';
import type { Entitlement } from '../request.ts';
import { checkDepth } from './check-depth.ts';
import { failureOf, failuresIn, inFileOrder } from './failure-at.ts';
import { globalArgs } from './global-args.ts';
import { knownProblems, type ReadingErrors } from './known-problems.ts';
import type { PlannedStage } from './planned.ts';
import type { OpenContext, ResolveImage } from './origins.ts';
import { Planner } from './planner.ts';
import { isPredefinedArg, type Platforms } from './predefined-args.ts';
import { writtenNames } from './written-names.ts';

/** What a plan is made from. */
export interface PlanRequest {
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly network: 'host' | 'none';
  readonly allow: ReadonlySet<Entitlement>;
  /** What each image is to run on, and what it is built on. */
  readonly platforms: readonly Platforms[];
  /** The main context. */
  readonly context: LocalContext;
  readonly openContext: OpenContext;
  readonly resolveImage: ResolveImage;
  /** Told which names stand anywhere in the Dockerfile. */
  readonly onNames?: (names: ReadonlySet<string>) => void;
  readonly emit: Emit;
}

/** What is built for a platform. */
export interface PlannedTarget {
  /** What was asked for; the stage has what its base is for. */
  readonly platform: Platform;
  readonly stage: PlannedStage;
}

/**
 * Reads a Dockerfile and plans what its target needs, for each platform. Nothing is run.
 * @throws BuildError with everything that is wrong with it
 */
export async function planBuild(path: string, text: string, request: PlanRequest): Promise<PlannedTarget[]> {
  const syntax = request.buildArgs.get('BUILDKIT_SYNTAX');
  const { dockerfile, diagnostics, faulty } = parseDockerfile(text, {
    path,
    ...(syntax === undefined ? {} : { syntax }),
  });
  emitWarnings(
    dockerfile,
    diagnostics.filter(({ severity }) => severity === 'warning'),
    request.emit,
  );
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const shared = { ...request, resolveImage: onceEachImage(request.resolveImage) };
  const plans = await allDone(
    request.platforms.map((platforms) => planFor({ dockerfile, errors, faulty }, { ...shared, platforms })),
  );
  const lint = onceEach(plans.map((each) => each.lint));
  throwProblems(failuresIn(dockerfile, lint.errors));
  emitWarnings(dockerfile, lint.warnings, request.emit);
  const violation = lintViolation(dockerfile, lint, request.buildArgs);
  throwProblems(violation === undefined ? [] : [violation]);
  warnOfUnusedArgs(dockerfile, request);
  request.onNames?.(new Set(plans.flatMap(({ args }) => [...writtenNames(dockerfile, args)])));
  return plans;
}

/** Looks for an image once, where it is for the same platform in several plans. */
function onceEachImage(resolve: ResolveImage): ResolveImage {
  const images = new Once<string, ReturnType<ResolveImage>>();
  return (name, platform, place) =>
    images.get(`${name} ${formatPlatform(platform)}`, () => resolve(name, platform, place));
}

/** What can be said of a Dockerfile before it is planned. */
interface Reading extends ReadingErrors {
  readonly dockerfile: Dockerfile;
}

/** Plans the target for one platform. */
async function planFor(
  { dockerfile, errors, faulty }: Reading,
  request: Omit<PlanRequest, 'platforms'> & { readonly platforms: Platforms },
): Promise<PlannedTarget & { readonly args: ReadonlyMap<string, string>; readonly lint: LintResult }> {
  const { args, problems } = globalArgs(dockerfile, request.buildArgs, request.platforms, request.target);
  const platform = request.platforms.target;
  const settings = { ...request, platform, globalArgs: args };
  if (errors.length + problems.length > 0) {
    const stage = targetStage(dockerfile, request.target);
    const reading = {
      errors: [...errors, ...problems],
      faulty: new Set([...faulty, ...problems.map(() => 'ARG')]),
    };
    const stages = stage === undefined ? [] : [stage];
    throw new BuildError(await knownProblems(dockerfile, reading, stages, settings));
  }
  const target = chooseTarget(dockerfile, request.target);
  const planner = new Planner(dockerfile, settings);
  const stage = await planTarget(dockerfile, planner, target);
  checkDepth(stage);
  return { platform, stage, args, lint: lintPlan(dockerfile, planner, { ...request, globalArgs: args }) };
}

function unique<T extends Pick<Diagnostic, 'range'>>(all: readonly T[]): T[] {
  return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()].toSorted(
    (a, b) => a.range.start.offset - b.range.start.offset,
  );
}

/** What was found for several platforms: each thing once, in the order of the file. */
function onceEach(results: readonly LintResult[]): Omit<LintResult, 'rulesThatNeedBase'> {
  return {
    isError: results.some(({ isError }) => isError),
    errors: unique(results.flatMap(({ errors }) => errors)),
    warnings: unique(results.flatMap(({ warnings }) => warnings)),
  };
}

/** Plans a stage, and those that it needs. @throws BuildError with all that was found to be wrong */
async function planTarget(dockerfile: Dockerfile, planner: Planner, target: Stage): Promise<PlannedStage> {
  const found = (): Failure[] =>
    planner.problems.map(({ diagnostic, place }) => failureOf(diagnostic, place));
  try {
    const planned = await planner.plan(target);
    if (planner.problems.length === 0) return planned;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    throw new BuildError(inFileOrder(dockerfile, [...found(), ...error.failures]), error.cause);
  }
  throw new BuildError(inFileOrder(dockerfile, found()));
}

function emitWarnings({ path, source }: Dockerfile, warnings: readonly LintWarning[], emit: Emit): void {
  for (const { severity: _severity, code, range, ...said } of warnings) {
    const rule = isRuleName(code) ? { rule: code } : {};
    emit({ kind: 'warning', ...said, ...rule, place: { path, source, range } });
  }
}

function throwProblems(failures: readonly Failure[]): void {
  if (failures.length > 0) throw new BuildError(failures);
}

/** The stage to build. @throws BuildError `unknown-target` */
export function chooseTarget(dockerfile: Dockerfile, name: string | undefined): Stage {
  const stage = targetStage(dockerfile, name);
  if (stage !== undefined) return stage;
  const names = dockerfile.stages.flatMap((each) => (each.name === undefined ? [] : [each.name]));
  const near = suggestStage(dockerfile, name ?? '');
  throw buildError('unknown-target', `${dockerfile.path} has no stage ${JSON.stringify(name)}`, {
    ...(names.length === 0
      ? { expected: 'no name: its stages have none' }
      : { expected: `one of ${names.join(', ')}` }),
    ...(near === undefined ? {} : { suggestion: near }),
  });
}

/** A build arg that no ARG declares does nothing; most often its name is misspelt. */
function warnOfUnusedArgs(
  { globalArgs: globals, stages }: Dockerfile,
  { buildArgs, emit }: PlanRequest,
): void {
  const declared = new Set(
    [...globals, ...stages.flatMap(({ instructions }) => instructions)].flatMap((instruction) =>
      instruction.kind === 'arg' ? instruction.args.map(({ name }) => name.text) : [],
    ),
  );
  for (const name of buildArgs.keys()) {
    if (declared.has(name) || isPredefinedArg(name)) continue;
    emit({
      kind: 'warning',
      message: `the build arg ${name} is used nowhere`,
      hint: `ARG ${name} declares it`,
    });
  }
}
