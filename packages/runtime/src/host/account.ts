import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { fsPath } from '@caisson/layer';
import type { Identity } from '@caisson/sys';
import {
  MAX_ID,
  numberOf,
  parseGroup,
  parsePasswd,
  type GroupLine,
  type PasswdLine,
} from '../account-files.ts';
import { RuntimeError } from '../errors.ts';
import type { RootFolder } from './root-folder.ts';

/** Who a step runs as. */
export interface Account extends Identity {
  /** The home folder, `/` for a user that the image does not know. */
  readonly home: string;
}

const MAX_FILE = 10 << 20;

/**
 * Looks up `user[:group]` in the image's own files, as docker does: a number is an id, also where a user or a group has it
 * as a name, and needs no entry; without a user it is root; without a group, the user's own groups count, with one, only
 * that. The files are read inside the root, and only if they are plain ones.
 * @throws RuntimeError `no-such-user`
 */
export function lookUpAccount(root: RootFolder, user: string): Account {
  const [userPart = '', ...rest] = user.split(':');
  const groupPart = rest.join(':');
  const passwd = parsePasswd(readText(root, '/etc/passwd'));
  const groups = parseGroup(readText(root, '/etc/group'));
  const entry = findUser(passwd, userPart);
  const uid = checked(entry.uid, user);
  // The kernel knows no names: it is the home of whoever comes first with this id.
  const home = passwd.find((each) => each.uid === uid)?.home ?? '/';
  if (groupPart !== '') {
    const gid = checked(findGroup(groups, groupPart), user);
    return { uid, gid, groups: [gid], home };
  }
  const own = groups.filter(({ members }) => members.includes(entry.name)).map(({ gid }) => gid);
  const gid = checked(entry.gid, user);
  return { uid, gid, groups: [...new Set([gid, ...own])], home };
}

function findUser(passwd: readonly PasswdLine[], user: string): Omit<PasswdLine, 'home'> {
  const id = user === '' ? 0 : numberOf(user);
  const found = passwd.find(({ name, uid }) => (id === undefined ? name === user : uid === id));
  if (found !== undefined) return found;
  if (id !== undefined) return { name: '', uid: id, gid: 0 };
  throw new RuntimeError('no-such-user', `the image knows no user ${JSON.stringify(user)}`, {
    hint: namesHint('users', passwd),
  });
}

function findGroup(groups: readonly GroupLine[], group: string): number {
  const gid = numberOf(group) ?? groups.find(({ name }) => name === group)?.gid;
  if (gid !== undefined) return gid;
  throw new RuntimeError('no-such-user', `the image knows no group ${JSON.stringify(group)}`, {
    hint: namesHint('groups', groups),
  });
}

function checked(id: number, user: string): number {
  if (id >= 0 && id <= MAX_ID) return id;
  throw new RuntimeError('no-such-user', `${JSON.stringify(user)} is no user`, {
    hint: `expected user[:group], names or numbers from 0 to ${MAX_ID}`,
  });
}

function namesHint(what: string, known: readonly { readonly name: string }[]): string {
  if (known.length === 0) return `it has no ${what}: use a number`;
  const names = known.slice(0, 8).map((each) => each.name);
  return `its ${what}: ${names.join(', ')}${known.length > names.length ? ', ...' : ''}`;
}

function readText(root: RootFolder, path: string): string {
  const resolved = root.resolve(path);
  if (!resolved.ok || resolved.kind?.type !== 'other') return '';
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let fd: number;
  try {
    fd = openSync(fsPath(root.locate(resolved.path)), flags);
  } catch {
    return ''; // a device, which nodev keeps closed
  }
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MAX_FILE ? readFileSync(fd, 'utf8') : '';
  } finally {
    closeSync(fd);
  }
}
