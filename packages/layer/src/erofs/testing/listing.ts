import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type BigIntStats } from 'node:fs';
import { getXattr, listXattrs } from '@caisson/sys';
import { fsPath, inFolder, textOf, type HostPath } from '../../byte-path.ts';

/** All that a file system says of what is in a folder, a line a name, whatever kind of file system it is. */
export function listing(root: HostPath): string[] {
  const lines: string[] = [];
  const firstNames = new Map<bigint, string>();
  const visit = (path: string) => {
    const at = inFolder(root, path);
    const stats = lstatSync(fsPath(at), { bigint: true });
    const firstName = firstNames.get(stats.ino) ?? path;
    firstNames.set(stats.ino, firstName);
    lines.push(JSON.stringify([path, firstName, ...ownLine(at, stats)]));
    if (!stats.isDirectory()) return;
    const names = readdirSync(fsPath(at), 'latin1');
    for (const name of names.toSorted()) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return lines;
}

function ownLine(at: HostPath, stats: BigIntStats): unknown[] {
  const { mode, uid, gid, mtimeNs, rdev, nlink, size } = stats;
  const own = [mode.toString(8), uid, gid, mtimeNs, rdev].map(String);
  const xattrs = listXattrs(fsPath(at))
    .filter((name) => name !== 'security.selinux')
    .toSorted()
    .map((name) => [name, Buffer.from(getXattr(fsPath(at), name) ?? []).toString('hex')]);
  if (stats.isDirectory()) return [...own, xattrs];
  const content = stats.isFile()
    ? createHash('sha256')
        .update(readFileSync(fsPath(at)))
        .digest('hex')
    : stats.isSymbolicLink()
      ? readlinkSync(fsPath(at), 'latin1')
      : '';
  return [...own, xattrs, String(nlink), String(size), textOf(content)];
}
