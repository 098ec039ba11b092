import type { Dockerfile } from '../ast.ts';
import type { Diagnostic } from '../diagnostic.ts';
import {
  DEFAULT_SETTINGS,
  diagnosticOf,
  readCheckSettings,
  type CheckSettings,
  type RuleChoice,
} from './check-settings.ts';
import type { LintOptions } from './lint-options.ts';
import { withDefaults } from './default-options.ts';
import { gatherForLint } from './linted-dockerfile.ts';
import { OwnSettings } from './own-settings.ts';
import { RULE_NAMES, rulePage, type RuleName } from './rule-name.ts';
import type { Finding } from './rule.ts';
import { RULES } from './rules.ts';

/** A warning of a rule, with its name as the code; or of the settings of the lint. */
export type LintWarning = Omit<Diagnostic, 'code'> & { readonly code: RuleName | Diagnostic['code'] };

/** What the lint has to say. */
export interface LintResult {
  /** In the order of the file. */
  readonly warnings: readonly LintWarning[];
  /** What is wrong with the directive `check`. */
  readonly errors: readonly Diagnostic[];
  /** Whether a warning of a rule is to fail a build. */
  readonly isError: boolean;
  /** The rules that found nothing where the base image is not known. */
  readonly rulesThatNeedBase: readonly RuleName[];
}

/**
 * Checks a Dockerfile with the rules that docker has. The file must have no errors: rules see what could be read of it.
 * @param given what a Dockerfile does not say; without it no build args, and base images that nobody knows
 * @see https://docs.docker.com/reference/build-checks/
 */
export function lintDockerfile(dockerfile: Dockerfile, given: Partial<LintOptions> = {}): LintResult {
  const options = withDefaults(dockerfile, given);
  const linted = gatherForLint(dockerfile, options);
  const { settings, diagnostics } = settingsOf(dockerfile, options);
  const ownSettings = new OwnSettings(dockerfile);
  const warnings = RULE_NAMES.flatMap((name) =>
    [...RULES[name].check(linted)]
      .filter(({ range, instruction }) => isOn(name, settings, ownSettings.at(instruction?.range ?? range)))
      .map((finding) => warningOf(name, finding)),
  );
  const ofSettings = diagnostics.filter(({ severity }) => severity === 'warning');
  return {
    warnings: [...ofSettings, ...ownSettings.diagnostics, ...warnings].toSorted(
      (a, b) => a.range.start.line - b.range.start.line || a.range.start.offset - b.range.start.offset,
    ),
    errors: diagnostics.filter(({ severity }) => severity === 'error'),
    isError: settings.isError,
    rulesThatNeedBase: RULE_NAMES.filter(
      (name) => RULES[name].needsBase === true && isOn(name, settings, DEFAULT_SETTINGS),
    ),
  };
}

function warningOf(name: RuleName, { instruction: _instruction, ...finding }: Finding): LintWarning {
  return { severity: 'warning', code: name, ...finding, page: rulePage(name) };
}

/** An experimental rule is on where somebody asks for it, and then nothing skips it. */
function isOn(name: RuleName, ...settings: readonly CheckSettings[]): boolean {
  return RULES[name].isExperimental === true
    ? settings.some(({ experimental }) => holds(experimental, name))
    : !settings.some(({ skip }) => holds(skip, name));
}

function holds(choice: RuleChoice, name: RuleName): boolean {
  return choice === 'all' || choice.has(name);
}

/** The settings of the whole file: the directive, or what takes its place. */
function settingsOf(
  { source, directives }: Dockerfile,
  { settings }: LintOptions,
): { readonly settings: CheckSettings; readonly diagnostics: readonly Diagnostic[] } {
  const directive = directives.check;
  if (settings !== undefined) return { settings, diagnostics: [] };
  if (directive === undefined) return { settings: DEFAULT_SETTINGS, diagnostics: [] };
  const { start, end } = directive.range;
  const line = source.text.slice(start.offset, end.offset);
  const at = start.offset + line.indexOf(directive.value, line.indexOf('=') + 1);
  const read = readCheckSettings(directive.value);
  const diagnostics = read.problems.map((problem) =>
    diagnosticOf(problem, source.range(at + problem.start, at + problem.end)),
  );
  return { settings: read.settings, diagnostics };
}
