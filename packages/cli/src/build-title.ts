import type { KeptReport } from '@caisson/builder';
import { isAbsolute } from 'node:path';
import { shownName } from './image-names.ts';

/** What a build was of, in short: the names of its image, else the Dockerfile with the last part of its context, and the target. */
export function buildTitle({
  names,
  context,
  dockerfile,
  target,
}: Pick<KeptReport, 'names' | 'context' | 'dockerfile' | 'target'>): string {
  if (names.length > 0) return names.map(shownName).join(', ');
  const project = context === undefined ? '' : lastPart(context);
  if (project === '') return `${dockerfile} ${target}`;
  const isElsewhere = isAbsolute(dockerfile) || dockerfile.includes('://');
  return isElsewhere ? `${dockerfile} ${target} of ${project}` : `${project}/${dockerfile} ${target}`;
}

/** The last part of a folder or of a URL: `app` of `https://example.com/team/app.git#main`; the host where it has no more. */
function lastPart(context: string): string {
  const url = context.includes('://') ? URL.parse(context) : null;
  const parts = url === null ? context.split('/') : [url.host, ...url.pathname.split('/')];
  const last = parts.findLast((part) => part !== '') ?? '';
  return last.replace(/(?<=.)\.git$/, '');
}
