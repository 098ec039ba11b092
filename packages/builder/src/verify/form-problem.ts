import type { FormId, MapFile, Problem, Session, Store } from '@caisson/store';

/** A tree that is not what its layer gives. @param path the first one in it that is wrong */
export function treeProblem({ forms }: Store, session: Session, form: FormId, path: string): Problem {
  return {
    path: `trees/${form}`,
    message: `is not what its layer gives: ${JSON.stringify(`/${path}`)}`,
    remedy: 'removed',
    repair: () => forms.removeTree(session, form),
  };
}

/** A map that is not what its layer gives, or a tar beside one. */
export function mapProblem({ maps }: Store, form: FormId, file: MapFile): Problem {
  return {
    path: `maps/${form}.${file === 'map' ? 'erofs' : 'tar'}`,
    message: 'is not what its layer gives',
    remedy: 'removed',
    repair: () => maps.remove(form, file),
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
