import type { Rule } from './rule.ts';
import type { RuleName } from './rule-name.ts';
import { CONSISTENT_INSTRUCTION_CASING } from './rules/consistent-instruction-casing.ts';
import { COPY_IGNORED_FILE } from './rules/copy-ignored-file.ts';
import { DUPLICATE_STAGE_NAME } from './rules/duplicate-stage-name.ts';
import { EXPOSE_INVALID_FORMAT } from './rules/expose-invalid-format.ts';
import { EXPOSE_PROTO_CASING } from './rules/expose-proto-casing.ts';
import { FROM_AS_CASING } from './rules/from-as-casing.ts';
import { FROM_PLATFORM_FLAG_CONST_DISALLOWED } from './rules/from-platform-flag-const-disallowed.ts';
import { INVALID_BASE_IMAGE_PLATFORM } from './rules/invalid-base-image-platform.ts';
import { INVALID_DEFAULT_ARG_IN_FROM } from './rules/invalid-default-arg-in-from.ts';
import { INVALID_DEFINITION_DESCRIPTION } from './rules/invalid-definition-description.ts';
import { JSON_ARGS_RECOMMENDED } from './rules/json-args-recommended.ts';
import { LEGACY_KEY_VALUE_FORMAT } from './rules/legacy-key-value-format.ts';
import { MAINTAINER_DEPRECATED } from './rules/maintainer-deprecated.ts';
import { MULTIPLE_INSTRUCTIONS_DISALLOWED } from './rules/multiple-instructions-disallowed.ts';
import { NO_EMPTY_CONTINUATION } from './rules/no-empty-continuation.ts';
import { REDUNDANT_TARGET_PLATFORM } from './rules/redundant-target-platform.ts';
import { RESERVED_STAGE_NAME } from './rules/reserved-stage-name.ts';
import { SECRETS_USED_IN_ARG_OR_ENV } from './rules/secrets-used-in-arg-or-env.ts';
import { STAGE_NAME_CASING } from './rules/stage-name-casing.ts';
import { UNDEFINED_ARG_IN_FROM } from './rules/undefined-arg-in-from.ts';
import { UNDEFINED_VAR } from './rules/undefined-var.ts';
import { WORKDIR_RELATIVE_PATH } from './rules/workdir-relative-path.ts';

/** All rules. A name without a rule does not compile, nor does a rule without a name. */
export const RULES: { readonly [Name in RuleName]: Rule } = {
  StageNameCasing: STAGE_NAME_CASING,
  FromAsCasing: FROM_AS_CASING,
  NoEmptyContinuation: NO_EMPTY_CONTINUATION,
  ConsistentInstructionCasing: CONSISTENT_INSTRUCTION_CASING,
  DuplicateStageName: DUPLICATE_STAGE_NAME,
  ReservedStageName: RESERVED_STAGE_NAME,
  JSONArgsRecommended: JSON_ARGS_RECOMMENDED,
  MaintainerDeprecated: MAINTAINER_DEPRECATED,
  UndefinedArgInFrom: UNDEFINED_ARG_IN_FROM,
  WorkdirRelativePath: WORKDIR_RELATIVE_PATH,
  UndefinedVar: UNDEFINED_VAR,
  MultipleInstructionsDisallowed: MULTIPLE_INSTRUCTIONS_DISALLOWED,
  LegacyKeyValueFormat: LEGACY_KEY_VALUE_FORMAT,
  InvalidBaseImagePlatform: INVALID_BASE_IMAGE_PLATFORM,
  RedundantTargetPlatform: REDUNDANT_TARGET_PLATFORM,
  SecretsUsedInArgOrEnv: SECRETS_USED_IN_ARG_OR_ENV,
  InvalidDefaultArgInFrom: INVALID_DEFAULT_ARG_IN_FROM,
  FromPlatformFlagConstDisallowed: FROM_PLATFORM_FLAG_CONST_DISALLOWED,
  CopyIgnoredFile: COPY_IGNORED_FILE,
  InvalidDefinitionDescription: INVALID_DEFINITION_DESCRIPTION,
  ExposeProtoCasing: EXPOSE_PROTO_CASING,
  ExposeInvalidFormat: EXPOSE_INVALID_FORMAT,
};
