import type { CopyOrigin } from '../plan/planned.ts';

/** What messages call a stage or an image that files are taken from. */
export function originTitle(from: Exclude<CopyOrigin, { kind: 'context' }>): string {
  return from.kind === 'stage' ? `stage ${from.stage.title}` : from.image.name;
}
