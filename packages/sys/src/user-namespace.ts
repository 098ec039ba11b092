import { readFileSync } from 'node:fs';
import { errorCode } from './syscall-error.ts';

/** In the user namespace of the machine every id is what it is. */
const ALL_IDS = /^\s*0\s+0\s+4294967295\s*$/;

let answer: boolean | undefined;

/**
 * Whether this process lives in a user namespace other than the machine's. Root is root of that namespace then: it may mount
 * less, make no devices, and set no `trusted.*` attributes, whatever its capabilities say.
 * @see user_namespaces(7)
 */
export function inUserNamespace(): boolean {
  answer ??= !ALL_IDS.test(readMap('uid'));
  return answer;
}

function readMap(kind: 'uid' | 'gid'): string {
  return readFileSync(`/proc/self/${kind}_map`, 'latin1');
}

/** The code of an error that says that somebody is not in this user namespace. */
export const UNMAPPED_ID = 'UNMAPPED_ID';

/** What to do about that. */
export const UNMAPPED_HINT = 'a larger range in /etc/subuid and /etc/subgid, or build as root';

/**
 * What an error of chown(2) means: the kernel says EINVAL where an id is not in the user namespace of this process.
 * @param what the file, as people know it
 * @returns an error that says so, with the code {@link UNMAPPED_ID}; any other error as it is
 */
export function ownerError(error: unknown, what: string, owner: { uid: number; gid: number }): unknown {
  if (errorCode(error) !== 'EINVAL') return error;
  const message = unmappedText(`${what} belongs to`, owner);
  return message === undefined ? error : Object.assign(new Error(message), { code: UNMAPPED_ID });
}

/**
 * Says which of a user and a group is not in the user namespace of this process; undefined where both are.
 * @param what begins the sentence: who or what needs them, and a verb
 */
export function unmappedText(what: string, { uid, gid }: { uid: number; gid: number }): string | undefined {
  const kinds = [
    { id: uid, map: readMap('uid'), owner: 'user', file: '/etc/subuid' },
    { id: gid, map: readMap('gid'), owner: 'group', file: '/etc/subgid' },
  ] as const;
  for (const { id, map, owner, file } of kinds) {
    const ranges = rangesOf(map);
    if (ranges.some(({ first, end }) => id >= first && id < end)) continue;
    const last = Math.max(...ranges.map(({ end }) => end)) - 1;
    return `${what} ${owner} ${id}, and this user namespace has none beyond ${last}: as many as ${file} gives`;
  }
  return undefined;
}

function rangesOf(map: string): { readonly first: number; readonly end: number }[] {
  return map
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
      return { first, end: first + count };
    });
}
