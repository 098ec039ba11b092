import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { fsPath } from '@caisson/layer';
import type { Identity } from '@caisson/sys';
import { parseGroup, parsePasswd, MAX_ID, type PasswdLine } from '../account-files.ts';
import { RuntimeError } from '../errors.ts';
import type { RootFolder } from './root-folder.ts';

/** Who a step runs as. */
export interface Account extends Identity {
  /** The home folder, `/` where none is known. */
  readonly home: string;
}

const MAX_FILE = 10 << 20;

/**
 * Looks up `user[:group]` in the image's own files, as docker does: a number needs no entry; without a user it is root;
 * without a group, the user's own groups count, with one, only that. The files are read inside the root, and only if they are plain ones.
 * @throws RuntimeError `no-such-user`
 */
export function lookUpAccount(root: RootFolder, user: string): Account {
  const [userPart = '', groupPart = '', ...rest] = user.split(':');
  if (rest.length > 0) throw invalid(user);
  const passwd = parsePasswd(readText(root, '/etc/passwd'));
  const entry = findUser(passwd, userPart);
  const uid = entry?.uid ?? parseId(userPart, user);
  if (uid === undefined) {
    throw new RuntimeError('no-such-user', `the image knows no user ${JSON.stringify(userPart)}`, {
      hint: namesHint('users', passwd),
    });
  }
  const groups = parseGroup(readText(root, '/etc/group'));
  const home = entry?.home ?? '/';
  if (groupPart !== '') {
    const gid = groups.find((each) => each.name === groupPart)?.gid ?? parseId(groupPart, user);
    if (gid === undefined) {
      throw new RuntimeError('no-such-user', `the image knows no group ${JSON.stringify(groupPart)}`, {
        hint: namesHint('groups', groups),
      });
    }
    return { uid, gid, groups: [gid], home };
  }
  const gid = entry?.gid ?? 0;
  const own = groups
    .filter((each) => entry !== undefined && each.members.includes(entry.name))
    .map((each) => each.gid);
  return { uid, gid, groups: [...new Set([gid, ...own])], home };
}

function findUser(passwd: readonly PasswdLine[], user: string): PasswdLine | undefined {
  if (user === '')
    return passwd.find((each) => each.uid === 0) ?? { name: 'root', uid: 0, gid: 0, home: '/' };
  const named = passwd.find((each) => each.name === user);
  if (named !== undefined) return named;
  const uid = parseId(user, user);
  return uid === undefined ? undefined : passwd.find((each) => each.uid === uid);
}

/** A numeric id; undefined for a name. Anything that looks like a number but is no valid id is an error. */
function parseId(text: string, user: string): number | undefined {
  if (!/^[-+0-9]/.test(text)) return undefined;
  const id = Number(text);
  if (!/^\d+$/.test(text) || id > MAX_ID) throw invalid(user);
  return id;
}

function invalid(user: string): RuntimeError {
  return new RuntimeError('no-such-user', `${JSON.stringify(user)} is no user`, {
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
