import {
  clampTime,
  compareBytes,
  compareTimes,
  parentOf,
  ROOT,
  sameAttributes,
  type BytePath,
  type DirectoryEntry,
  type FileEntry,
  type Found,
  type HardLinkEntry,
  type NodeEntry,
} from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import type { Time } from '@caisson/sys';
import type { KeptEntry } from './kept-folders.ts';
import type { Destination, Planned } from './destination.ts';

/** One entry of the layer that is to be written. */
export type PlannedLine =
  /** With the digest that it was looked up with. */
  | { readonly kind: 'file'; readonly entry: FileEntry; readonly planned: Planned }
  /** As an earlier layer has it. */
  | { readonly kind: 'kept'; readonly entry: KeptEntry }
  /** Another name of something. */
  | { readonly kind: 'link'; readonly entry: HardLinkEntry; readonly node: NodeEntry }
  | {
      readonly kind: 'other';
      readonly entry: Exclude<NodeEntry, FileEntry>;
      readonly role: 'change' | 'parent';
    };

/** What the lines of a layer are worked out from. */
export interface LinesRequest {
  readonly destination: Destination;
  /** The digest of a file of the state before, for one that looks the same as what would be written. */
  readonly digestBefore: (found: Found) => Promise<Digest>;
  /** No time of what is written is later. */
  readonly latest: Time | undefined;
}

/** What of that which was planned has to be written, bytewise by path: only what is not so already, and the folders above it. */
export async function plannedLines(request: LinesRequest): Promise<PlannedLine[]> {
  const { destination, latest } = request;
  const changes: Planned[] = [];
  const groups = new Map<string, Planned[]>();
  for (const planned of destination.written) {
    if (planned.linkId !== undefined) {
      const group = groups.get(planned.linkId);
      if (group === undefined) groups.set(planned.linkId, [planned]);
      else group.push(planned);
    } else if (destination.before(planned.entry.path) === undefined) changes.push(planned);
    else if (!(await areSoAlready(request, [planned]))) changes.push(planned);
  }
  const firstNames = new Map<BytePath, Planned>();
  for (const group of groups.values()) {
    if (await areSoAlready(request, group)) continue;
    const [first, ...others] = group.toSorted((a, b) => compareBytes(a.entry.path, b.entry.path));
    for (const { entry } of others) if (first !== undefined) firstNames.set(entry.path, first);
    changes.push(...group);
  }
  const lines = changes.map((planned): PlannedLine => {
    const { path } = planned.entry;
    const first = firstNames.get(path);
    const entry = clamped((first ?? planned).entry, latest);
    if (first !== undefined)
      return { kind: 'link', entry: { type: 'hardlink', path, target: entry.path }, node: entry };
    if (entry.type === 'file') return { kind: 'file', entry, planned };
    // A folder of which only the time is new, too: without it the layer would be another one, of the same content.
    return { kind: 'other', entry, role: 'change' };
  });
  for (const entry of destination.kept) lines.push({ kind: 'kept', entry });
  return [...lines, ...parentLines(destination, changes)].toSorted((a, b) =>
    compareBytes(a.entry.path, b.entry.path),
  );
}

function clamped(entry: NodeEntry, latest: Time | undefined): NodeEntry {
  const mtime = clampTime(entry.mtime, latest);
  return mtime === entry.mtime ? entry : { ...entry, mtime };
}

/** The folders above what changed that are as they were. */
function parentLines(destination: Destination, changes: readonly Planned[]): PlannedLine[] {
  const present = new Set<BytePath>(changes.map(({ entry }) => entry.path));
  const lines: PlannedLine[] = [];
  for (const { entry } of changes) {
    for (let path = parentOf(entry.path); path !== ROOT && !present.has(path); path = parentOf(path)) {
      present.add(path);
      // Not what was planned for it, which is how it is already but for a later time.
      const folder = destination.before(path)?.node;
      if (folder?.type !== 'directory') throw new Error(`Internal error: ${path} is no folder`);
      lines.push({ kind: 'other', entry: asParent(folder, path), role: 'parent' });
    }
  }
  return lines;
}

function asParent({ opaque: _not, ...folder }: DirectoryEntry, path: BytePath): DirectoryEntry {
  return { ...folder, path };
}

/** Whether the state before has exactly this file at all of its names, and at no others. */
async function areSoAlready(request: LinesRequest, names: readonly Planned[]): Promise<boolean> {
  if (!request.destination.wereOneFile(names.map(({ entry }) => entry.path))) return false;
  return (await Promise.all(names.map((planned) => isSoAlready(request, planned)))).every(Boolean);
}

/** Whether the state before has exactly this at this path. */
async function isSoAlready(
  { destination, digestBefore, latest }: LinesRequest,
  { entry }: Planned,
): Promise<boolean> {
  const found = destination.before(entry.path);
  if (found === undefined || !sameAttributes(entry, found.node)) return false;
  if (compareTimes(clampTime(entry.mtime, latest), found.node.mtime) !== 0) return false;
  if (entry.type !== 'file' || found.node.type !== 'file') return true;
  return entry.digest === (found.node.digest ?? (await digestBefore(found)));
}
