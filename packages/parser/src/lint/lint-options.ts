import type { Stage } from '../ast.ts';
import type { IgnoreMatcher, IgnoreRule } from '../ignore-matcher.ts';
import type { CheckSettings } from './check-settings.ts';

/** What the lint must be told, since a Dockerfile does not say it. */
export interface LintOptions {
  /** The stages whose instructions are looked at (all): what a target does not need is checked as text alone. */
  readonly stages?: Iterable<Stage>;
  /** The stages in whose place something else stands, which is their base: what they say does not count. */
  readonly replaced?: ReadonlySet<Stage>;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** The args before the first FROM with their values, and the predefined ones. */
  readonly globalArgs: ReadonlyMap<string, string>;
  /** The same as if no build args were given; undefined where the defaults cannot be expanded. */
  readonly globalDefaults: ReadonlyMap<string, string> | undefined;
  /** What is known of the image that a stage builds on; a stage on an image that is not here is on an unknown one. */
  readonly bases: ReadonlyMap<Stage, KnownBase>;
  /** The ignore file of the context, if there is one. */
  readonly ignore?: IgnoreFile;
  /** In place of the directive `check` of the file. */
  readonly settings?: CheckSettings;
}

/** What the rules ask of an ignore file. */
export interface IgnoreFile extends Pick<IgnoreMatcher, 'ignores' | 'mayContainIncluded'> {
  /** What to call it. */
  readonly path: string;
  /** The line that decides about a path. */
  explain(path: string): Pick<IgnoreRule, 'line' | 'text'> | undefined;
}

/** What the rules ask of a base image. */
export interface KnownBase {
  readonly env: ReadonlyMap<string, string>;
  /** Whether it sets the shell of commands. */
  readonly hasShell: boolean;
  /** The instructions that it keeps for those who build on it. */
  readonly triggers: readonly string[];
  /** Where it is for another platform than was asked for: both, and which was most likely meant by one that is none. */
  readonly mismatch?: {
    readonly actual: string;
    readonly expected: string;
    readonly meant?: string | undefined;
  };
}
