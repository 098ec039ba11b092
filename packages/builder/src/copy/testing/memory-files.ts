import { bytesOf, ChainView, cleanPath, parentsOf, Toc, type BytePath, type Entry } from '@caisson/layer';
import { digestOf } from '@caisson/oci';
import type { SourceTree } from '../source-tree.ts';
import { ViewTree } from '../view-tree.ts';

/**
 * Layers that lie nowhere, lowest first, from lines: `folder/`, `file`, `link -> target`, `name = file` (another name of
 * it); then a mode and an owner, `file 600 1:2`. What is above something is a folder. A file holds its own path.
 */
export function layersOf(...layers: readonly (readonly string[])[]): ChainView {
  return new ChainView(layers.map((lines) => new Toc(entriesOf(lines))));
}

/** The same as something that COPY takes from; with one layer. */
export function treeOf(...lines: readonly string[]): SourceTree {
  return new ViewTree('the test', layersOf(lines), () => Promise.reject(new Error('nothing is read here')));
}

const LINE =
  /^(?<path>\S*?)(?<slash>\/?)(?: (?<sign>->|=) (?<target>\S+))?(?: (?<mode>[0-7]+) (?<uid>\d+):(?<gid>\d+))?$/;

function entriesOf(lines: readonly string[]): Entry[] {
  const entries = new Map<BytePath, Entry>();
  for (const line of lines) {
    const entry = entryOf(line);
    for (const folder of parentsOf(entry.path)) {
      if (!entries.has(folder)) entries.set(folder, entryOf(`${folder}/`));
    }
    entries.set(entry.path, entry);
  }
  return [...entries.values()];
}

function entryOf(line: string): Entry {
  const { path: text = '', slash = '', sign, target = '', mode, uid, gid } = LINE.exec(line)?.groups ?? {};
  if (text === '' && slash === '') throw new Error(`${line} is no file`);
  const path = cleanPath(bytesOf(text));
  if (sign === '=') return { type: 'hardlink', path, target: cleanPath(bytesOf(target)) };
  const isFolder = slash !== '';
  const bits = mode === undefined ? (isFolder ? 0o755 : 0o644) : Number.parseInt(mode, 8);
  const common = {
    path,
    mode: bits,
    uid: Number(uid ?? 0),
    gid: Number(gid ?? 0),
    mtime: { seconds: 1, nanoseconds: 0 },
  };
  if (sign === '->') return { ...common, type: 'symlink', target: bytesOf(target) };
  if (isFolder) return { ...common, type: 'directory' };
  return { ...common, type: 'file', size: text.length, digest: digestOf(text) };
}
