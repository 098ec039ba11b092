import type { FormId, Problem, Session, Store } from '@caisson/store';

/** A tree that is not what its layer gives. @param path the first one in it that is wrong */
export function treeProblem({ forms }: Store, session: Session, form: FormId, path: string): Problem {
  return {
    path: `trees/${form}`,
    message: `is not what its layer gives: ${JSON.stringify(`/${path}`)}`,
    remedy: 'removed',
    repair: () => forms.removeTree(session, form),
  };
}

/** A table of contents that is not what its layer gives. */
export function tocProblem({ forms }: Store, form: FormId): Problem {
  return {
    path: `tocs/${form}.json`,
    message: 'is not what its layer gives',
    remedy: 'removed',
    repair: () => forms.removeToc(form),
  };
}
