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

/** The users that a `/etc/passwd` names. Lines that are none are left out. */
export function parsePasswd(text: string): PasswdLine[] {
  return text.split('\n').flatMap(passwdLine);
}

/** The groups that a `/etc/group` names. Lines that are none are left out. */
export function parseGroup(text: string): GroupLine[] {
  return text.split('\n').flatMap(groupLine);
}

function passwdLine(line: string): PasswdLine[] {
  const [name = '', , uid = '', gid = '', , home = ''] = line.split(':');
  if (name === '' || !isId(uid) || !isId(gid)) return [];
  return [{ name, uid: Number(uid), gid: Number(gid), home: home === '' ? '/' : home }];
}

function groupLine(line: string): GroupLine[] {
  const [name = '', , gid = '', members = ''] = line.split(':');
  if (name === '' || !isId(gid)) return [];
  return [{ name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') }];
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID;
}
