import type { Instruction } from '../ast.ts';
import type { Range } from '../source-text.ts';
import type { LintedDockerfile } from './linted-dockerfile.ts';

/** What a rule finds: a warning without what all warnings of the rule have in common. */
export interface Finding {
  /** The word that is wrong, and no more than that. */
  readonly range: Range;
  /** One sentence, as docker has it. */
  readonly message: string;
  readonly expected?: string;
  readonly suggestion?: string;
  readonly hint?: string;
  /** What it is about, where that is not what stands there. */
  readonly instruction?: Instruction;
}

/** A rule of the lint. Its pages in docs/rules are made of what stands here. */
export interface Rule {
  /** What it asks for, in docker's words. */
  readonly description: string;
  /** Why: what goes wrong otherwise. */
  readonly why: string;
  /** A Dockerfile that breaks it. */
  readonly wrong: string;
  /** The same, as it should be. */
  readonly right: string;
  /** Only where the Dockerfile asks for it: `# check=experimental=NAME`. */
  readonly isExperimental?: true;
  /** Without the config of the base image it finds nothing in a stage. */
  readonly needsBase?: true;
  readonly check: (linted: LintedDockerfile) => Iterable<Finding>;
}

/** What a finding says besides, as far as there is something to say. */
export function details(parts: {
  readonly [Key in 'expected' | 'suggestion' | 'hint']?: string | undefined;
}): Pick<Finding, 'expected' | 'suggestion' | 'hint'> {
  const { expected, suggestion, hint } = parts;
  return {
    ...(expected === undefined ? {} : { expected }),
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(hint === undefined ? {} : { hint }),
  };
}
