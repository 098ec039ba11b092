export type {
  AddInstruction,
  ArgInstruction,
  CmdInstruction,
  Command,
  CopyInstruction,
  CopySource,
  Dockerfile,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  FromInstruction,
  HealthcheckInstruction,
  Instruction,
  LabelInstruction,
  MaintainerInstruction,
  OnbuildInstruction,
  Pair,
  RunInstruction,
  ShellInstruction,
  Stage,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from './ast.ts';
export { errorAt, errorPage, type Diagnostic, type DiagnosticCode } from './diagnostic.ts';
export type { Directive, Directives, EscapeCharacter } from './directives.ts';
export { formatExcerpt, show, type ExcerptOptions } from './excerpt.ts';
export type { Environment, LookUp } from './environment.ts';
export { expandWord, expandWords, type ExpandFailure, type ExpandOptions } from './expand.ts';
export { expansionError } from './expansion-error.ts';
export { flagValue, isFlagOn, type Flag } from './flags.ts';
export { formatDiagnostic, type FormatOptions } from './format-diagnostic.ts';
export { formatInstruction } from './format-instruction.ts';
export { expandGlobalArgs, PLATFORM_ARGS } from './global-args.ts';
export { compileGlob, hasWildcard } from './glob.ts';
export { formatGoDuration, parseGoDuration } from './go-duration.ts';
export { heredocText, parseHeredocOpening, type Heredoc } from './heredoc.ts';
export { createIgnoreMatcher, type IgnoreMatcher, type IgnoreRule } from './ignore-matcher.ts';
export { readCheckSettings, type CheckSettings } from './lint/check-settings.ts';
export { lintDockerfile, type LintResult, type LintWarning } from './lint/lint-dockerfile.ts';
export type { KnownBase, LintOptions } from './lint/lint-options.ts';
export { dockerPage, isRuleName, RULE_NAMES, rulePage, type RuleName } from './lint/rule-name.ts';
export { RULES } from './lint/rules.ts';
export { parseDockerfile, parseTrigger, type ParseOptions, type ParseResult } from './parse.ts';
export { findMountOption, type MountProblem } from './mount-fields.ts';
export { parseRunMount, type CacheSharing, type RunMount } from './run-mount.ts';
export { SourceText, type Position, type Range } from './source-text.ts';
export { stageOfCopy, stageOfFrom, suggestStage, targetStage } from './stage-lookup.ts';
export { suggest } from './suggest.ts';
export type { Word } from './words.ts';
