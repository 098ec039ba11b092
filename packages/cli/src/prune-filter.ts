import { matchesEntry, type CacheEntry, type EntryKind } from '@caisson/store';
import { suggest } from '@caisson/parser';
import { oneOf, parseDuration } from './parse-options.ts';
import { UsageError } from './usage-error.ts';

/** Which entries of the cache `--filter` lets go. */
export interface PruneFilter {
  /** Only what was not used for this long, in milliseconds. */
  readonly unusedFor?: number;
  readonly matches?: (entry: CacheEntry) => boolean;
}

const KEYS = ['until', 'unused-for', 'type', 'id', 'inuse'] as const;
const FORM = `${KEYS.join(', ')}, for example until=24h or type=step`;

/** The words of `type=`; those of docker have our kinds behind them. */
const TYPES: Readonly<Record<string, EntryKind>> = {
  step: 'step',
  base: 'base image',
  image: 'unnamed image',
  tree: 'tree',
  'cache-mount': 'cache mount',
  file: 'file',
  logs: 'logs',
  unreadable: 'unreadable',
  regular: 'step',
  'exec.cachemount': 'cache mount',
};

/** `--filter`, as docker takes it: all of them must fit; of several `type=` or `id=`, one. @throws UsageError */
export function parsePruneFilters(filters: readonly string[]): PruneFilter {
  const given = new Map<string, string[]>(KEYS.map((key) => [key, []]));
  for (const filter of filters) {
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(filter) ?? [];
    const values = given.get(key);
    if (values === undefined || value === '') throw noFilter(filter, key === '' ? filter : key);
    values.push(value);
  }
  const [until, ...more] = [...(given.get('until') ?? []), ...(given.get('unused-for') ?? [])];
  if (more.length > 0) throw new UsageError('--filter until can be given once');
  const kinds = (given.get('type') ?? []).flatMap(
    (word) => TYPES[oneOf('--filter type', word, Object.keys(TYPES))] ?? [],
  );
  const ids = given.get('id') ?? [];
  const [use, ...otherUses] = given.get('inuse') ?? [];
  if (otherUses.length > 0) throw new UsageError('--filter inuse can be given once');
  const isInUse = use === undefined ? undefined : oneOf('--filter inuse', use, ['true', 'false']) === 'true';
  const matches = matchesEntry({
    ...(kinds.length === 0 ? {} : { kinds }),
    ...(ids.length === 0 ? {} : { ids }),
    ...(isInUse === undefined ? {} : { isInUse }),
  });
  return {
    ...(until === undefined ? {} : { unusedFor: parseDuration('--filter until', until) }),
    ...(matches === undefined ? {} : { matches }),
  };
}

function noFilter(filter: string, key: string): UsageError {
  const suggestion = (KEYS as readonly string[]).includes(key) ? undefined : suggest(key, KEYS);
  return new UsageError(`--filter ${JSON.stringify(filter)} is not known`, {
    expected: FORM,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}
