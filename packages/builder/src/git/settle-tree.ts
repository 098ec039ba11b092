import { chmod, lstat, lutimes, readdir, unlink } from 'node:fs/promises';
import { childOf, fsPath, inFolder, ROOT, type HostPath } from '@caisson/layer';

/**
 * Makes a checkout the same wherever it was made: modes are those that git keeps, 644 and 755 (444 of its own objects),
 * whatever the umask is. Names are bytes.
 * @param time what all times become; they stay where there is none
 * @param hasGit whether `.git` stays: the folder, and the files of submodules
 */
export async function settleTree(
  folder: HostPath,
  { time, hasGit }: { readonly time: Date | undefined; readonly hasGit: boolean },
): Promise<void> {
  for (const name of await readdir(fsPath(folder), 'latin1')) {
    const path = inFolder(folder, childOf(ROOT, name));
    const stat = await lstat(fsPath(path));
    if (stat.isDirectory()) await settleTree(path, { time, hasGit });
    else if (name === '.git' && !hasGit) await unlink(fsPath(path));
    else {
      if (stat.isFile()) await chmod(fsPath(path), modeOf(stat.mode));
      if (time !== undefined) await lutimes(fsPath(path), time, time);
    }
  }
  await chmod(fsPath(folder), 0o755);
  if (time !== undefined) await lutimes(fsPath(folder), time, time);
}

function modeOf(mode: number): number {
  if ((mode & 0o100) !== 0) return 0o755;
  return (mode & 0o200) === 0 ? 0o444 : 0o644;
}
