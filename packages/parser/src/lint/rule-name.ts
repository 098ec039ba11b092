/** The rules, in the order in which docker's documentation has them. */
export const RULE_NAMES = [
  'StageNameCasing',
  'FromAsCasing',
  'NoEmptyContinuation',
  'ConsistentInstructionCasing',
  'DuplicateStageName',
  'ReservedStageName',
  'JSONArgsRecommended',
  'MaintainerDeprecated',
  'UndefinedArgInFrom',
  'WorkdirRelativePath',
  'UndefinedVar',
  'MultipleInstructionsDisallowed',
  'LegacyKeyValueFormat',
  'InvalidBaseImagePlatform',
  'RedundantTargetPlatform',
  'SecretsUsedInArgOrEnv',
  'InvalidDefaultArgInFrom',
  'FromPlatformFlagConstDisallowed',
  'CopyIgnoredFile',
  'InvalidDefinitionDescription',
  'ExposeProtoCasing',
  'ExposeInvalidFormat',
] as const;

/** The name of a lint rule. */
export type RuleName = (typeof RULE_NAMES)[number];

/** Whether a text names a rule, to the letter. */
export function isRuleName(text: string): text is RuleName {
  return RULE_NAMES.some((name) => name === text);
}

/** Where docker documents a rule. */
export function dockerPage(name: RuleName): string {
  const kebab = name.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase();
  return `https://docs.docker.com/go/dockerfile/rule/${kebab}/`;
}

/** Where the documentation of this project has a rule. */
export function rulePage(name: RuleName): string {
  return `docs/rules/${name}.md`;
}
