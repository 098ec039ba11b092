import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Edit } from './edit.ts';
import type { ContextFile, Project } from './project.ts';

/** Makes a folder what a project says, by changing what differs alone: what is the same keeps its inode and its times. */
export function syncFolder(folder: string, { files, ignored }: Project, keepsTime = false): void {
  const wanted = placed(files);
  if (ignored.length > 0)
    wanted.set('.dockerignore', { type: 'file', content: `${ignored.join('\n')}\n`, mode: 0o644 });
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted().toReversed())
    if (!wanted.has(path)) rmSync(join(folder, path), { recursive: true, force: true });
  for (const [path, file] of wanted) {
    const at = join(folder, path);
    if (file.type === 'link') continue;
    const names = [
      path,
      ...[...wanted].flatMap(([name, each]) => (each.type === 'link' && each.to === path ? [name] : [])),
    ];
    put(at, file, { names: names.length, keepsTime });
  }
  for (const [path, file] of wanted) {
    if (file.type !== 'link') continue;
    const [at, to] = [join(folder, path), join(folder, file.to)];
    if (lstatSync(at, { throwIfNoEntry: false })?.ino === lstatSync(to).ino) continue;
    rmSync(at, { recursive: true, force: true });
    linkSync(to, at);
  }
}

/** The files that can be there together, with the folders above them, parents first. */
function placed(files: Project['files']): Map<string, ContextFile> {
  const found = new Map<string, ContextFile>();
  for (const [path, file] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const above = foldersAbove(path);
    if (above.some((each) => (found.get(each) ?? FOLDER).type !== 'folder')) continue;
    for (const each of above) if (!found.has(each)) found.set(each, FOLDER);
    found.set(path, file);
  }
  for (const [path, file] of found)
    if (file.type === 'link' && (file.to === path || found.get(file.to)?.type !== 'file')) found.delete(path);
  return found;
}

const FOLDER: ContextFile = { type: 'folder', mode: 0o755 };

function foldersAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [...foldersAbove(parent), parent];
}

function put(
  at: string,
  file: Exclude<ContextFile, { type: 'link' }>,
  { names, keepsTime }: { readonly names: number; readonly keepsTime: boolean },
): void {
  const there = lstatSync(at, { throwIfNoEntry: false });
  if (there !== undefined && !isOfKind(there, file, names)) rmSync(at, { recursive: true });
  const kept = lstatSync(at, { throwIfNoEntry: false });
  if (file.type === 'symlink') {
    if (kept !== undefined && readlinkSync(at) === file.target) return;
    rmSync(at, { force: true });
    symlinkSync(file.target, at);
    return;
  }
  if (file.type === 'folder') {
    if (kept === undefined) mkdirSync(at);
    chmodSync(at, file.mode);
    return;
  }
  if (kept === undefined || readFileSync(at, 'utf8') !== file.content) {
    writeFileSync(at, file.content);
    if (keepsTime && kept?.size === file.content.length) utimesSync(at, kept.atime, kept.mtime);
  }
  if ((lstatSync(at).mode & 0o7777) !== file.mode) chmodSync(at, file.mode);
}

function isOfKind(there: ReturnType<typeof lstatSync> & {}, file: ContextFile, names: number): boolean {
  if (file.type === 'folder') return there.isDirectory();
  if (file.type === 'symlink') return there.isSymbolicLink();
  return there.isFile() && there.nlink === names;
}

/** Changes what no build may see of a file. */
export function disturb(
  folder: string,
  { kind, path }: Extract<Edit, { kind: 'touch' | 'chown' | 'copy-over' }>,
): void {
  const at = join(folder, path);
  const there = lstatSync(at, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (kind === 'touch') lutimesSync(at, 1_650_000_000, 1_650_000_000 + (there.mtimeMs % 1000));
  if (kind === 'chown' && there.isFile()) {
    chownSync(at, 1234, 1234);
    chmodSync(at, there.mode & 0o7777); // a change of owner takes set-user-id away
  }
  if (kind === 'copy-over' && there.isFile() && there.nlink === 1) {
    copyFileSync(at, `${at}~`);
    chmodSync(`${at}~`, there.mode & 0o7777);
    renameSync(`${at}~`, at);
  }
}
