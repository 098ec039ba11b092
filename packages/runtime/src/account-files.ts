/** The largest id that a user or group may have. */
export const MAX_ID = 2 ** 31 - 1;

/** A line of `/etc/passwd`. */
export interface PasswdLine {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A line of `/etc/group`. */
export interface GroupLine {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * The users that a `/etc/passwd` names. As with docker, blanks around a line count for nothing, what a line lacks is empty,
 * and a number that is none is 0.
 */
export function parsePasswd(text: string): PasswdLine[] {
  return linesOf(text).flatMap((line) => {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':');
    return name === '' ? [] : [{ name, uid: idOf(uid), gid: idOf(gid), home }];
  });
}

/** The groups that a `/etc/group` names, read as {@link parsePasswd} reads users; a line that begins with `#` is a comment here. */
export function parseGroup(text: string): GroupLine[] {
  return linesOf(text).flatMap((line) => {
    const [name = '', , gid = '', members = ''] = line.split(':');
    if (name === '' || line.startsWith('#')) return [];
    return [{ name, gid: idOf(gid), members: members.split(',').filter((member) => member !== '') }];
  });
}

/**
 * The number that a word is, in the place of a name of a user or a group; undefined for a name.
 * @see https://pkg.go.dev/strconv#Atoi
 */
export function numberOf(word: string): number | undefined {
  return /^[-+]?\d+$/.test(word) ? Number(word) : undefined;
}

function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trim());
}

function idOf(text: string): number {
  return numberOf(text) ?? 0;
}
