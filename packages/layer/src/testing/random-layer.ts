import { digestOf } from '@caisson/oci';
import * as fc from 'fast-check';
import { bytesOf, cleanPath, compareBytes, hostPath, textOf, type BytePath } from '../byte-path.ts';
import { sameEntry } from '../same-entry.ts';
import type { Toc } from '../toc.ts';
import type { Entry, NodeEntry } from '../entry.ts';
import { parentsOf } from '../in-root.ts';
import type { Content } from '../copy-content.ts';
import { LayerWriter, type LayerWriterOptions, type WrittenLayer } from '../layer-writer.ts';
import type { HostPath } from '../byte-path.ts';
import type { PatchedTar } from '../patched-tar.ts';

/** Something that lies in a folder of a test. */
export interface Thing {
  readonly path: string;
  readonly what: 'file' | 'folder' | 'symlink' | 'pipe' | 'link';
  /** Bytes of a file, by what they are and how many. */
  readonly text: string;
  readonly size: number;
  readonly mode: number;
  readonly time: number;
  /** Which file a link is another name of. */
  readonly target: number;
}

const anyPath = fc
  .array(fc.constantFrom('a', 'b', 'c', 'a-long-name-'.repeat(9), 'ä'), { minLength: 1, maxLength: 3 })
  .map((names) => names.join('/'));
const thing: fc.Arbitrary<Thing> = fc.record({
  path: anyPath,
  what: fc.constantFrom('file', 'file', 'file', 'folder', 'symlink', 'pipe', 'link'),
  text: fc.constantFrom('x', 'y', '\0'),
  size: fc.constantFrom(0, 1, 511, 512, 513, 5000, 70_000, 1_500_000),
  mode: fc.constantFrom(0o644, 0o4755, 0o600),
  time: fc.constantFrom(0, 1, 2),
  target: fc.nat(9),
});

const edits = fc.array(
  fc.record({ at: fc.nat(14), how: fc.constantFrom('remove', 'replace', 'add'), by: thing }),
  { maxLength: 4 },
);

type Edits = ReturnType<typeof edits.generate>['value'];

/** Some things, the same after a few edits, and after a few more: things that are gone, changed or new. */
export const editedThings: fc.Arbitrary<{
  readonly before: readonly Thing[];
  readonly after: readonly Thing[];
  readonly later: readonly Thing[];
}> = fc
  .record({ before: fc.array(thing, { maxLength: 14 }), first: edits, second: edits })
  .map(({ before, first, second }) => {
    const after = edited(before, first);
    return { before, after, later: edited(after, second) };
  });

function edited(things: readonly Thing[], all: Edits): Thing[] {
  const after = [...things];
  for (const { at, how, by } of all) {
    const there = after[at];
    if (how === 'add') after.push(by);
    else
      after.splice(at, 1, ...(how === 'remove' || there === undefined ? [] : [{ ...by, path: there.path }]));
  }
  return after;
}

/** An entry of a layer, the bytes of a file, and what a link is a name of. */
export interface Written {
  readonly entry: Entry;
  readonly bytes: Uint8Array;
  readonly node: NodeEntry | undefined;
}

/** What a layer of things holds: with the folders on the way, each path once, digests known. */
export function entriesOf(things: readonly Thing[]): Written[] {
  const written = new Map<BytePath, Written>();
  const put = (entry: Entry, bytes = new Uint8Array(), node?: NodeEntry): void =>
    void written.set(entry.path, { entry, bytes, node });
  for (const each of things) {
    const at = cleanPath(bytesOf(each.path));
    const parents = parentsOf(at);
    if (
      written.has(at) ||
      parents.some((parent) => (written.get(parent)?.entry.type ?? 'directory') !== 'directory')
    )
      continue;
    for (const parent of parents)
      if (!written.has(parent)) put({ ...attributes, type: 'directory', path: parent, mode: 0o755 });
    const { mode, time } = each;
    const own = { ...attributes, path: at, mode, mtime: { seconds: time, nanoseconds: time } };
    const bytes = Buffer.alloc(each.size, each.text);
    if (each.what === 'folder') put({ ...own, type: 'directory' });
    else if (each.what === 'symlink')
      put({ ...own, type: 'symlink', mode: 0o777, target: `to-${each.size}` });
    else if (each.what === 'pipe') put({ ...own, type: 'fifo' });
    else if (each.what === 'file')
      put({ ...own, type: 'file', size: bytes.length, digest: digestOf(bytes) }, bytes);
    else {
      const files = [...written.values()]
        .map(({ entry }) => entry)
        .filter(({ type, path: name }) => type === 'file' && name < at);
      const node = files[each.target % files.length];
      if (node?.type === 'file') put({ type: 'hardlink', path: at, target: node.path }, undefined, node);
    }
  }
  return [...written.values()].toSorted((a, b) => compareBytes(a.entry.path, b.entry.path));
}

const attributes = { uid: 0, gid: 0, mtime: { seconds: 1_700_000_000, nanoseconds: 0 } };

/** Writes entries as a layer. @param contentOf where the bytes of a file come from */
export function writeLayer(
  output: HostPath,
  entries: readonly Written[],
  options: LayerWriterOptions = {},
  contentOf?: ContentOf,
): WrittenLayer {
  const writer = new LayerWriter(output, options);
  try {
    addEntries(writer, entries, contentOf);
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** Writes entries as a layer over an old tar. */
export async function patchLayer(
  patched: PatchedTar,
  entries: readonly Written[],
  contentOf: ContentOf,
): Promise<WrittenLayer> {
  const writer = new LayerWriter(patched);
  addEntries(writer, entries, contentOf);
  return writer.finished();
}

type ContentOf = (file: Written) => Content;

function addEntries(
  writer: LayerWriter,
  entries: readonly Written[],
  contentOf: ContentOf = ({ bytes }) => ({ kind: 'bytes', bytes }),
): void {
  for (const each of entries) {
    const { entry, node } = each;
    if (entry.type === 'file') {
      if (!writer.addEarlierFile(entry)) writer.addFile(entry, contentOf(each));
    } else if (entry.type !== 'hardlink') writer.add(entry);
    else if (node !== undefined) writer.addHardLink(entry, node);
  }
}

/** Where the bytes of a file lie; a file that an earlier layer has just so must not be asked for. */
export function changedOnly(earlier: Toc): ContentOf {
  return ({ entry, bytes }) => {
    const there = earlier.get(entry.path);
    if (there === undefined || !sameEntry(there, entry)) return { kind: 'bytes', bytes };
    return { kind: 'file', path: hostPath(`/nothing/${textOf(entry.path)}`) };
  };
}

/** A file, as one of the things that a layer is made of. */
export const fileThing = (path: string, text: string, size = 5000): Thing => ({
  path,
  what: 'file',
  text,
  size,
  mode: 0o644,
  time: 1,
  target: 0,
});
