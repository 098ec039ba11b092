/**
 * What a request needs on a registry, as token servers name it: `repository:library/debian:pull`.
 * @see https://distribution.github.io/distribution/spec/auth/scope/
 */
export type Scope = string;

/** The scope to read or write a repository. */
export function repositoryScope(repository: string, access: 'pull' | 'push'): Scope {
  return `repository:${repository}:${access === 'push' ? 'pull,push' : 'pull'}`;
}

/** Several scopes as the shortest sorted list: those of one resource become one, with the actions of all. */
export function mergeScopes(scopes: readonly Scope[]): Scope[] {
  const actionsOf = new Map<string, Set<string>>();
  for (const scope of scopes) {
    const colon = scope.lastIndexOf(':');
    if (scope === '') continue;
    const resource = colon === -1 ? scope : scope.slice(0, colon);
    const actions = actionsOf.get(resource) ?? new Set();
    for (const action of colon === -1 ? [] : scope.slice(colon + 1).split(',')) actions.add(action);
    actionsOf.set(resource, actions);
  }
  return [...actionsOf]
    .map(([resource, actions]) =>
      actions.size === 0 ? resource : `${resource}:${[...actions].toSorted().join(',')}`,
    )
    .toSorted();
}
