import { resolve } from 'node:path';
import { redactUrl } from '@caisson/registry/errors';
import type { BuildRequest } from '../request.ts';

/** What a build is known to be of: a folder by its whole path, a URL without its credentials. */
export function contextTitle({
  context,
  cwd = process.cwd(),
}: Pick<BuildRequest, 'context' | 'cwd'>): string | undefined {
  if (typeof context !== 'string') return undefined;
  const url = context.includes('://') ? URL.parse(context) : null;
  return url === null ? resolve(cwd, context) : redactUrl(url) + url.hash;
}
