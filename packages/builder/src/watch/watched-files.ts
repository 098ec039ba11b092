import { lstatSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { webUrl } from '../context/context-source.ts';
import { fileStat, inodeOf, type FileStat } from '../context/stat-cache.ts';
import type { BuildRequest } from '../request.ts';
import type { PlannedStep } from '../plan/planned.ts';
import type { Changes } from './changes.ts';
import { inputsOf, type Inputs } from './inputs.ts';
import type { PathKind } from './selected-areas.ts';

/** All files that a build depends on, as far as it is known. Paths are absolute, and no part of them is a link. */
export class WatchedFiles {
  /** The same for files that are the same. */
  readonly identity: string;
  /** The folders to look into. */
  readonly roots: readonly string[];
  /** Which folders of the disk those are: one in the place of another has to be watched anew. */
  readonly inodes: string;
  readonly #inputs: Inputs;
  /** Files by name, which need not be there. */
  readonly #files: ReadonlySet<string>;
  /** Of them, the links on the way to contexts: behind another one, everything is another. */
  readonly #links: ReadonlySet<string>;
  /** How those looked that a build has read. */
  readonly #seen: Map<string, FileStat | undefined>;
  /** The folders of contexts, as they are called and where they are. */
  readonly #contexts: readonly { readonly folder: string; readonly real: string }[];

  /**
   * @param steps those of the target; none while the Dockerfile is not understood
   * @param before what is known to have been looked at
   */
  constructor(request: SourceRequest, steps: Iterable<PlannedStep>, before?: WatchedFiles) {
    this.#seen = before === undefined ? new Map<string, FileStat | undefined>() : before.#seen;
    // What a build fetched or unpacked lies in the store, and nobody edits it.
    this.#inputs = inputsOf(steps, ({ folder }) => isOutside(relative(request.root, folder)));
    const folders = [...new Set([...mainFolder(request), ...this.#inputs.folders])];
    const named = namedFiles(request, folders);
    this.#links = new Set(folders.flatMap(linksTo));
    this.#files = new Set([...named.map(realPath), ...named.flatMap(linksTo), ...this.#links]);
    this.#contexts = folders.map((folder) => ({ folder, real: realPath(folder) }));
    const roots = [
      ...this.#contexts.map(({ real }) => real),
      ...[...this.#files].map((file) => dirname(file)),
    ];
    this.roots = [...new Set(roots)].toSorted();
    this.inodes = JSON.stringify(this.roots.map((root) => inodeAt(root)));
    this.identity = JSON.stringify([[...this.#files], this.roots, this.inodes, this.#inputs.identity]);
  }

  /** The folders of contexts that are not there. Nothing tells when one comes in their place. */
  get missing(): readonly string[] {
    return this.#contexts.map(({ real }) => real).filter((real) => statOf(real) === undefined);
  }

  /** Whether the build depends on what lies at a path, or on something below it. */
  has(path: string, kind: PathKind): boolean {
    if (this.#files.has(path)) return true;
    if (kind === 'folder' && this.roots.includes(path)) return true;
    return this.#namesOf(path).some(
      (name) => this.#inputs.covers(name, kind) || (kind === 'folder' && this.#inputs.reaches(name)),
    );
  }

  /**
   * Whether what is at a path is other than it was when a build looked at it.
   * @param isBuilding then what was not looked at will be: it is no change. Else it was not reached
   */
  hasChanged(path: string, isBuilding: boolean): boolean {
    if (this.#seen.has(path)) return this.#seen.get(path) !== statOf(path);
    return (
      this.#namesOf(path).some((name) => this.#inputs.hasChanged(name, !isBuilding)) ||
      this.roots.includes(path)
    );
  }

  /** Looks at the files that a build, which begins now, reads by name. */
  look(): void {
    for (const file of this.#files) this.#seen.set(file, statOf(file));
  }

  /** Whether a file that is read by name has changed since the build that runs began. */
  get hasOtherFiles(): boolean {
    return [...this.#files].some((file) => this.#seen.has(file) && this.#seen.get(file) !== statOf(file));
  }

  /** Changed paths as contexts know them: there may be links on the way to a context. */
  namesOf(paths: Changes['paths']): string[] | 'everything' {
    if (paths === 'everything' || [...paths].some((path) => this.#links.has(path))) return 'everything';
    return [...paths].flatMap((path) => this.#namesOf(path));
  }

  #namesOf(path: string): string[] {
    return this.#contexts.flatMap(({ folder, real }) => {
      const inside = relative(real, path);
      return isOutside(inside) ? [] : [join(folder, inside)];
    });
  }
}

/** The part of a request that says which files are read by name. */
export type SourceRequest = Pick<BuildRequest, 'root' | 'cwd' | 'context' | 'dockerfile' | 'dockerfileText'>;

function mainFolder({ cwd = process.cwd(), context }: SourceRequest): string[] {
  return typeof context === 'string' ? [resolve(cwd, context)] : [];
}

/** The Dockerfile and the ignore files, wherever they may be. */
function namedFiles(request: SourceRequest, folders: readonly string[]): string[] {
  const { cwd = process.cwd(), dockerfile, dockerfileText } = request;
  const isGiven = dockerfile !== undefined && webUrl(dockerfile) === undefined;
  const dockerfiles = isGiven
    ? [resolve(cwd, dockerfile)]
    : folders.slice(0, 1).flatMap((folder) => ['Dockerfile', 'dockerfile'].map((name) => join(folder, name)));
  return [
    ...(dockerfileText === undefined ? dockerfiles : []),
    ...dockerfiles.map((path) => `${path}.dockerignore`),
    ...folders.map((folder) => join(folder, '.dockerignore')),
  ];
}

/** The links on the way to a path. */
function linksTo(path: string): string[] {
  const links: string[] = [];
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if (lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() === true)
      links.push(join(realPath(dirname(at)), at.slice(dirname(at).length)));
  }
  return links;
}

/** How a file looks; undefined for one that is not there. */
function statOf(path: string): FileStat | undefined {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : fileStat(stats);
}

/** Which of the host's folders it is; null where there is none. */
function inodeAt(path: string): string | null {
  const stat = statOf(path);
  return stat === undefined ? null : inodeOf(stat);
}

/** A path without links in it; of what is not there, as far as it is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : join(realPath(dirname(path)), path.slice(dirname(path).length));
  }
}

function isOutside(inside: string): boolean {
  return inside === '..' || inside.startsWith('../');
}
