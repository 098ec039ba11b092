import type { IdRange } from './subordinate-ids.ts';

/*
 * unshare(1) before util-linux 2.38, and that of busybox, make a user namespace and give it no ids. newuidmap(1) has to be
 * called from outside, when the namespace is there: a shell stays behind for that, and the process waits for its ids.
 */

/** $1 and $2: what newuidmap and newgidmap are told; the rest: the command that is to run in the namespace. */
const SCRIPT = `
self=$$ outside=$(readlink /proc/self/ns/user) uids=$1 gids=$2; shift 2
({ while [ "$(readlink /proc/$self/ns/user)" = "$outside" ]; do sleep 0.01; done
   newuidmap $self $uids && newgidmap $self $gids || kill $self; } </dev/null >/dev/null &)
exec unshare --user sh -c 'until read -r _ </proc/self/gid_map; do :; done; exec "$@"' sh "$@"
`;

/** The words before those of a command that is to run in a user namespace. */
export function mapByHand(
  user: { readonly uid: number; readonly gid: number },
  uids: IdRange,
  gids: IdRange,
): string[] {
  return ['-c', SCRIPT, 'sh', map(user.uid, uids), map(user.gid, gids)];
}

/** INNER OUTER COUNT: 0 is the user, the others follow. */
function map(own: number, { first, count }: IdRange): string {
  return `0 ${own} 1 1 ${first} ${count}`;
}
