/** A line of an ignore file. */
export interface IgnoreLine {
  /** From 1. */
  readonly line: number;
  /** As written. */
  readonly text: string;
}

/** Says which files of a context are not part of it. Paths are text, relative, without a leading slash. */
export interface IgnoreRules {
  /** The ignore file, for messages. */
  readonly path: string;
  /** All of it. */
  readonly text: string;
  ignores(path: string): boolean;
  /** Whether anything below an ignored folder may be part of the context again. */
  mayContainIncluded(folder: string): boolean;
  /** The line that decides about a path. */
  explain(path: string): IgnoreLine | undefined;
}

/** Nothing is ignored. */
export const NO_RULES: IgnoreRules = {
  path: '',
  text: '',
  ignores: () => false,
  mayContainIncluded: () => false,
  explain: () => undefined,
};
