import type { Change, MissReason } from '../solve/miss-reason.ts';

/** How many files of a change are kept: nobody reads more, and reports are kept for long. */
const FILES = 1000;

/** Why a step ran, as it is kept. */
export function keptReason(reason: MissReason): MissReason {
  return reason.kind === 'changed' ? { ...reason, changes: reason.changes.map(keptChange) } : reason;
}

function keptChange(change: Change): Change {
  if (change.kind !== 'files' || change.files.length <= FILES) return change;
  return { ...change, files: change.files.slice(0, FILES), more: change.files.length - FILES };
}
