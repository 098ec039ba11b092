import { posix } from 'node:path';
import { textOf } from '@caisson/layer';
import { createIgnoreMatcher, suggest } from '@caisson/parser';
import { nearbyPaths, selectSource, type SelectFailure, type Selected } from '../copy/select-sources.ts';
import type { SourceTree } from '../copy/source-tree.ts';
import { buildError, type BuildError } from '../failure.ts';
import type { PlannedCopy, PlannedSource } from '../plan/planned.ts';

type PathSource = Extract<PlannedSource, { kind: 'path' }>;

/** What sources are given, and how they are taken. */
export type SourcesOf = Pick<PlannedCopy, 'sources'> & Partial<Pick<PlannedCopy, 'excludes' | 'hasParents'>>;

/**
 * Everything that the sources of a COPY or ADD name in a tree.
 * @throws BuildError `missing-source`
 */
export function selectAll(tree: SourceTree, { sources, excludes, hasParents }: SourcesOf): Selected[] {
  const selected: Selected[] = [];
  const exclude = excludes?.length ? createIgnoreMatcher(excludes.join('\n')) : undefined;
  for (const source of sources) {
    if (source.kind !== 'path') continue;
    const { text, isLiteral } = source;
    const found = selectSource(tree, text, { exclude, withParents: hasParents === true, isLiteral });
    if (!found.ok) throw selectError(tree, source, found.error);
    selected.push(...found.value);
  }
  return selected;
}

function selectError(tree: SourceTree, source: PathSource, failure: SelectFailure): BuildError {
  const { place } = source;
  switch (failure.reason) {
    case 'bad-pattern':
      return buildError('missing-source', `${JSON.stringify(failure.pattern)} is no pattern`, {
        place,
        expected: 'a pattern with *, ? and [a-z], every [ closed',
      });
    case 'circle':
      return buildError(
        'missing-source',
        `/${textOf(failure.path)} in ${tree.title} leads round in a circle of symlinks`,
        {
          place,
        },
      );
    case 'missing': {
      const path = textOf(failure.path);
      const link = tree.lookup(failure.path)?.entry;
      if (link?.type === 'symlink') {
        const target = JSON.stringify(textOf(link.target));
        const message = `${path} in ${tree.title} is a link to ${target}, which is not there`;
        return buildError('missing-source', message, { place });
      }
      const rule = tree.hiddenBy(failure.path);
      const near = suggest(path, nearbyPaths(tree, failure.path));
      return buildError(
        'missing-source',
        rule !== undefined
          ? `${path} is left out of ${tree.title} by an ignore rule`
          : `${tree.title} has no ${path}`,
        {
          place,
          ...hintOf(tree, source, rule),
          ...(near === undefined || rule !== undefined ? {} : { suggestion: near }),
        },
      );
    }
  }
}

function hintOf(
  { title }: SourceTree,
  { text }: PathSource,
  rule: ReturnType<SourceTree['hiddenBy']>,
): { readonly hint?: string } {
  if (rule !== undefined) return { hint: `${rule.file} line ${rule.line}: ${rule.text}` };
  // As with docker, what leads further up than the root stays there.
  const isAbove = posix.normalize(text.replace(/^\/+/, '')).split('/')[0] === '..';
  return isAbove ? { hint: `.. does not lead out of ${title}` } : {};
}
