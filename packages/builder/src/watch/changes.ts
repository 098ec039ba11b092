/** What may have changed since a build looked at it. */
export interface Changes {
  /** Absolute; `everything` where it is not known what, or where looking at all of it costs less than a list. */
  readonly paths: ReadonlySet<string> | 'everything';
  /** When the first of them was told, in milliseconds of the clock that the timers go by. */
  readonly since: number;
}

/** From this many on, everything is looked at again: the kernel may have told less than there was. */
const FLOOD = 1000;

/** A change that was just told. */
export function changeOf(path: string, now: number): Changes {
  return { paths: new Set([path]), since: now };
}

/** Both. */
export function merged(first: Changes, second: Changes): Changes {
  const since = Math.min(first.since, second.since);
  if (first.paths === 'everything' || second.paths === 'everything') return { paths: 'everything', since };
  const paths = new Set([...first.paths, ...second.paths]);
  return { paths: paths.size > FLOOD ? 'everything' : paths, since };
}
