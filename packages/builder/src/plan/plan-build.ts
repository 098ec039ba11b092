import {
  isRuleName,
  parseDockerfile,
  suggestStage,
  targetStage,
  type Diagnostic,
  type Dockerfile,
  type LintWarning,
  type Stage,
} from '@caisson/parser';
import { lintPlan, lintViolation } from '../check/lint-plan.ts';
import type { LocalContext } from '../context/local-context.ts';
import type { Emit } from '../events.ts';
import { BuildError, buildError, type Failure } from '../failure.ts';
import type { Entitlement } from '../request.ts';
import { checkDepth } from './check-depth.ts';
import { globalArgs } from './global-args.ts';
import type { Place, PlannedStage } from './planned.ts';
import type { OpenContext, ResolveImage } from './origins.ts';
import { Planner } from './planner.ts';
import { isPredefinedArg, type Platforms } from './predefined-args.ts';

/** What a plan is made from. */
export interface PlanRequest {
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly network: 'host' | 'none';
  readonly allow: ReadonlySet<Entitlement>;
  /** What the image is to run on, and what it is built on. */
  readonly platforms: Platforms;
  /** The main context. */
  readonly context: LocalContext;
  readonly openContext: OpenContext;
  readonly resolveImage: ResolveImage;
  readonly emit: Emit;
}

/**
 * Reads a Dockerfile and plans what its target needs. Nothing is run.
 * @throws BuildError with everything that is wrong with it
 */
export async function planBuild(path: string, text: string, request: PlanRequest): Promise<PlannedStage> {
  const syntax = request.buildArgs.get('BUILDKIT_SYNTAX');
  const { dockerfile, diagnostics } = parseDockerfile(text, {
    path,
    ...(syntax === undefined ? {} : { syntax }),
  });
  report(dockerfile, diagnostics, request.emit);
  const target = chooseTarget(dockerfile, request.target);
  const { args, problems } = globalArgs(dockerfile, request.buildArgs, request.platforms, request.target);
  report(dockerfile, problems, request.emit);
  const planner = new Planner(dockerfile, {
    ...request,
    platform: request.platforms.target,
    globalArgs: args,
  });
  const planned = await planner.plan(target);
  throwProblems(planner.problems.map(({ diagnostic, place }) => failureOf(diagnostic, place)));
  checkDepth(planned);
  const lint = lintPlan(dockerfile, planner, { ...request, globalArgs: args });
  report(dockerfile, lint.errors, request.emit);
  emitWarnings(dockerfile, lint.warnings, request.emit);
  const violation = lintViolation(dockerfile, lint, request.buildArgs);
  throwProblems(violation === undefined ? [] : [violation]);
  warnOfUnusedArgs(dockerfile, request);
  return planned;
}

function report(dockerfile: Dockerfile, diagnostics: readonly Diagnostic[], emit: Emit): void {
  const { path, source } = dockerfile;
  emitWarnings(
    dockerfile,
    diagnostics.filter(({ severity }) => severity === 'warning'),
    emit,
  );
  throwProblems(
    diagnostics
      .filter(({ severity }) => severity === 'error')
      .map((diagnostic) => failureOf(diagnostic, { path, source, range: diagnostic.range })),
  );
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

/** An error of a Dockerfile as a failure. */
export function failureOf({ code, message, expected, suggestion, hint }: Diagnostic, place: Place): Failure {
  return {
    code,
    message,
    place,
    ...(expected === undefined ? {} : { expected }),
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(hint === undefined ? {} : { hint }),
  };
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
