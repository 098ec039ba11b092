import { formatPlatform, nearestPlatform, runsOn } from '@caisson/oci';
import {
  isRuleName,
  lintDockerfile,
  readCheckSettings,
  type CheckSettings,
  type Dockerfile,
  type KnownBase,
  type LintResult,
  type Stage,
  suggest,
} from '@caisson/parser';
import type { BaseImage } from '../bases/base-image.ts';
import type { LocalContext } from '../context/local-context.ts';
import { buildError, type Failure } from '../failure.ts';
import { globalArgs } from '../plan/global-args.ts';
import type { BegunStage, Planner } from '../plan/planner.ts';
import type { Platforms } from '../plan/predefined-args.ts';

/** What the lint of planned stages needs besides the plan. */
export interface LintRequest {
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly platforms: Platforms;
  /** The main context, for what its ignore file says. */
  readonly context: LocalContext;
  /** The images of which nothing is known: they stand in for others. */
  readonly unknown?: ReadonlySet<BaseImage>;
}

/** The build arg that takes the place of the directive `check`. */
const SETTINGS_ARG = 'BUILDKIT_DOCKERFILE_CHECK';

/**
 * Checks a Dockerfile with the rules of the lint: the stages that were planned, and the rest as text.
 * @throws BuildError `invalid-request` for a build arg BUILDKIT_DOCKERFILE_CHECK that makes no sense
 */
export function lintPlan(dockerfile: Dockerfile, planner: Planner, request: LintRequest): LintResult {
  const { buildArgs, platforms, target, unknown } = request;
  const ignore = request.context.rules;
  const defaults = globalArgs(dockerfile, new Map(), platforms, target);
  const given = buildArgs.get(SETTINGS_ARG);
  const begun = [...planner.begun];
  return lintDockerfile(dockerfile, {
    stages: begun.filter(([, { isReplaced }]) => !isReplaced).map(([stage]) => stage),
    replaced: new Set(begun.filter(([, { isReplaced }]) => isReplaced).map(([stage]) => stage)),
    buildArgs,
    globalArgs: request.globalArgs,
    globalDefaults: defaults.problems.length === 0 ? defaults.args : undefined,
    bases: new Map(
      begun.flatMap(([stage, begin]): [Stage, KnownBase][] =>
        isKnown(begin, unknown) ? [[stage, knownBase(begin)]] : [],
      ),
    ),
    ...(ignore.path === '' ? {} : { ignore }),
    ...(given === undefined ? {} : { settings: settingsOf(given) }),
  });
}

/** What makes a build fail where warnings are to be errors, and there are some. */
export function lintViolation(
  { path, source, directives: { check } }: Dockerfile,
  { isError, warnings }: Pick<LintResult, 'isError' | 'warnings'>,
  buildArgs: ReadonlyMap<string, string>,
): Failure | undefined {
  const rules = new Set(warnings.map(({ code }) => code).filter(isRuleName));
  if (!isError || rules.size === 0) return undefined;
  return {
    code: 'lint-violation',
    message: `lint violation found for rules: ${[...rules].join(', ')}`,
    ...(check === undefined || buildArgs.has(SETTINGS_ARG)
      ? {}
      : { place: { path, source, range: check.range } }),
    hint: 'check=error=true makes errors of warnings',
  };
}

/** Whether something is known under a stage that is no stage itself. */
function isKnown({ base }: BegunStage, unknown: ReadonlySet<BaseImage> | undefined): boolean {
  return base.kind === 'scratch' || (base.kind === 'image' && unknown?.has(base.image) !== true);
}

function knownBase({ base, inherited, wanted }: BegunStage): KnownBase {
  const { Shell, OnBuild } = inherited.config;
  const known: KnownBase = {
    env: inherited.env,
    hasShell: Shell !== undefined && Shell.length > 0,
    triggers: OnBuild ?? [],
  };
  if (base.kind !== 'image' || runsOn(base.image.config, wanted)) return known;
  return {
    ...known,
    mismatch: {
      actual: formatPlatform(base.image.config),
      expected: formatPlatform(wanted),
      meant: nearestPlatform(wanted, suggest),
    },
  };
}

function settingsOf(text: string): CheckSettings {
  const { settings, problems } = readCheckSettings(text);
  const [problem] = problems;
  if (problem === undefined) return settings;
  const { message, expected, suggestion } = problem;
  throw buildError('invalid-request', `the build arg ${SETTINGS_ARG}: ${message}`, {
    ...(expected === undefined ? {} : { expected }),
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}
