import * as fc from 'fast-check';
import { cleanPath, compareBytes, hostPath, parentOf, ROOT, type BytePath } from '../../byte-path.ts';
import type { Entry, NodeEntry, Xattrs } from '../../entry.ts';
import { LayerWriter, type WrittenLayer } from '../../layer-writer.ts';
import { tarName } from '../../tar-fields.ts';

/** A line of a layer, and its bytes where it is a file. */
export interface LayerLine {
  readonly entry: Entry;
  readonly content: Buffer;
}

/** Writes lines as a layer. */
export function writeLayer(lines: readonly LayerLine[], tar: string): WrittenLayer {
  const writer = new LayerWriter(hostPath(tar));
  const nodes = new Map<BytePath, NodeEntry>();
  for (const { entry, content } of lines.toSorted((a, b) =>
    compareBytes(tarName(a.entry), tarName(b.entry)),
  )) {
    if (entry.type === 'hardlink') {
      const node = nodes.get(entry.target);
      if (node === undefined) throw new Error(`no ${entry.target}`);
      writer.addHardLink(entry, node);
      continue;
    }
    if (entry.type === 'file')
      writer.addFile({ ...entry, size: content.length }, { kind: 'bytes', bytes: content });
    else writer.add(entry);
    if (entry.type !== 'whiteout') nodes.set(entry.path, { ...entry });
  }
  return writer.finish();
}

// Names around `.` and `..` in the order of bytes, and such as are no text.
const name = fc.constantFrom(
  '!',
  '-',
  '.x',
  '...',
  'a',
  'a-',
  'b',
  '\xff\xfe',
  '\xc3\xa9',
  'n'.repeat(255),
  `${'m'.repeat(254)}\x01`,
);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => cleanPath(names.join('/')));
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((each) => Buffer.from(each));
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
const xattrs = fc.option(
  fc
    .dictionary(fc.constantFrom('user.a', 'user.b.c', `user.${'x'.repeat(200)}`, 'user.empty'), bytes(400), {
      maxKeys: 4,
    })
    .map((values): Xattrs => new Map(Object.entries(values))),
  { nil: undefined },
);
const attributes = fc.record({
  mode: fc.nat(0o7777),
  uid: fc.constantFrom(0, 1, 65_536, 4_000_000_000),
  gid: fc.constantFrom(0, 1000),
  mtime: fc.record({
    seconds: fc.integer({ min: -2_000_000_000, max: 4_000_000_000 }),
    nanoseconds: fc.nat(999_999_999),
  }),
});
const line = fc.record({
  path,
  attributes,
  xattrs,
  isCapable: fc.boolean(),
  kind: fc.constantFrom('file', 'file', 'file', 'directory', 'symlink', 'char', 'block', 'fifo', 'hardlink'),
  content: fc.oneof(
    bytes(3),
    bytes(2000),
    fc.constantFrom(512, 1024, 5000).map((size) => Buffer.alloc(size, 'x')),
  ),
  target: fc.oneof(
    fc.constantFrom('a', '../b', '/'),
    fc.integer({ min: 400, max: 4095 }).map((size) => 'l'.repeat(size)),
  ),
  device: fc.record({ major: fc.integer({ min: 1, max: 4095 }), minor: fc.nat(2 ** 20 - 1) }),
});

/** Layers of anything that a layer may hold, with all folders on the way. */
export const randomLayer: fc.Arbitrary<LayerLine[]> = fc.array(line, { maxLength: 25 }).map((wanted) => {
  const lines = new Map<BytePath, LayerLine>();
  for (const each of wanted) add(lines, each);
  return [...lines.values()];
});

type Wanted = typeof line extends fc.Arbitrary<infer T> ? T : never;

function add(lines: Map<BytePath, LayerLine>, wanted: Wanted): void {
  const parents: BytePath[] = [];
  for (let at = parentOf(wanted.path); at !== ROOT; at = parentOf(at)) parents.push(at);
  if (lines.has(wanted.path)) return;
  if (parents.some((parent) => (lines.get(parent)?.entry.type ?? 'directory') !== 'directory')) return;
  const entry = entryOf(lines, wanted);
  if (entry === undefined) return;
  for (const parent of parents) {
    if (lines.has(parent)) continue;
    const folder: Entry = { type: 'directory', path: parent, ...wanted.attributes };
    lines.set(parent, { entry: folder, content: Buffer.alloc(0) });
  }
  lines.set(entry.path, { entry, content: wanted.content });
}

function entryOf(lines: ReadonlyMap<BytePath, LayerLine>, wanted: Wanted): Entry | undefined {
  const { attributes: own, kind, device, target, content } = wanted;
  const isFile = kind === 'file' || kind === 'directory';
  const all = new Map(isFile ? wanted.xattrs : []);
  if (kind === 'file' && wanted.isCapable) all.set('security.capability', capability);
  const common = { ...own, path: wanted.path, ...(all.size === 0 ? {} : { xattrs: all }) };
  switch (kind) {
    case 'file':
      return { ...common, type: kind, size: content.length };
    case 'directory':
    case 'fifo':
      return { ...common, type: kind };
    case 'symlink':
      return { ...common, type: kind, target };
    case 'char':
    case 'block':
      return { ...common, type: kind, ...device };
    case 'hardlink': {
      const others = [...lines.values()].filter(
        ({ entry }) => entry.type !== 'directory' && entry.type !== 'hardlink' && entry.type !== 'whiteout',
      );
      const linked = others.find(({ entry }) => compareBytes(entry.path, wanted.path) < 0);
      return linked === undefined ? undefined : { type: kind, path: wanted.path, target: linked.entry.path };
    }
  }
}
