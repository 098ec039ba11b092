/** Says which files of a context are not part of it. Paths are text, relative, without a leading slash. */
export interface IgnoreRules {
  ignores(path: string): boolean;
  /** Whether anything below an ignored folder may be part of the context again. */
  mayContainIncluded(folder: string): boolean;
}

/** Nothing is ignored. */
export const NO_RULES: IgnoreRules = { ignores: () => false, mayContainIncluded: () => false };
