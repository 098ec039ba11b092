import type { Change, MissReason } from '../solve/miss-reason.ts';

/** How many files of a change are kept: nobody reads more, and reports are kept for long. */
const FILES = 1000;

/** Why a step ran, as it is kept. @param most how many files of a change */
export function keptReason(reason: MissReason, most = FILES): MissReason {
  if (reason.kind !== 'changed') return reason;
  return { ...reason, changes: reason.changes.map((change) => keptChange(change, most)) };
}

function keptChange(change: Change, most: number): Change {
  if (change.kind !== 'files' || change.files.length <= most) return change;
  const more = (change.more ?? 0) + change.files.length - most;
  return { ...change, files: change.files.slice(0, most), more };
}
