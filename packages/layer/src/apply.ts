import { createHash, type Hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { asDiffId, digestFromHex, type DiffId } from '@caisson/oci';
import {
  baseName,
  childOf,
  fsPath,
  parentOf,
  ROOT,
  textOf,
  type BytePath,
  type HostPath,
} from './byte-path.ts';
import type { PlainSum } from './decompress-thread.ts';
import { compareTimes, type FileEntry, type NodeEntry } from './entry.ts';
import { LayerError } from './errors.ts';
import { LayerNodes } from './layer-nodes.ts';
import { readTar } from './read-tar.ts';
import { attributesIn, checkedName, deviceIn } from './tar-entry.ts';
import type { TarFields } from './tar-header.ts';
import { TarParser, type TarHandler } from './tar-parser.ts';
import { Toc } from './toc.ts';
import { sameAttributes } from './same-file.ts';
import { SparseFile } from './sparse-file.ts';
import { TreeWriteBack } from './write-back.ts';
import { TreeWriter, type FilePart, type FileWriter } from './tree-writer.ts';
import type { ChainView, Found } from './view.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** A layer that is read on top of others. */
export interface ApplyRequest {
  /** The layer's tar, compressed or not. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Whether it is worth a thread of its own to decompress and hash it: that takes 30 ms to start and some 50 MB. */
  readonly isLarge?: boolean;
  /** The layers below, which the layer speaks of. */
  readonly below: ChainView;
  /** Where to write the tree form; an empty folder. Without it, only the table of contents is made. */
  readonly tree?: HostPath;
  /** Where the content of a file of a layer below lies: a hard link may name one. Needed with `tree`. */
  readonly contentBelow?: (found: Found) => FilePart;
  /** A new file for the tar as it is without compression. */
  readonly tar?: HostPath;
  /**
   * Instead of `tar`, one that is needed for a while only. Each file whose bytes lie in it as they are has its digest in
   * the table of contents.
   */
  readonly scratch?: HostPath;
  /** Told how much of the tar has been read, in bytes; what it throws ends the reading. */
  readonly onRead?: (size: number) => void;
  /** Ends the reading: nothing of the tree stays. */
  readonly signal?: AbortSignal | undefined;
}

/** What was in a layer. */
export interface Applied {
  /** With every folder on the way to an entry, and nothing in it that hides nothing. */
  readonly toc: Toc;
  /** Folders that have no entry of their own, but something in them. */
  readonly implied: ReadonlySet<BytePath>;
  /** The digest of the tar: it must be compared with the one that the image's config states. */
  readonly diffId: DiffId;
  /** The size of the tar in bytes. */
  readonly size: number;
}

/**
 * Reads a layer: checks it, makes its table of contents and, where asked, its tree. Everything in it is taken to be
 * hostile: a name that climbs out of the root, a device that overlayfs would take for a whiteout, or anything that
 * replaces the root is an error; nothing is written through a symlink.
 * @throws LayerError, and what the signal was aborted with
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md#applying-changesets
 */
export async function applyLayer({
  source,
  isLarge = false,
  below,
  tree,
  contentBelow,
  tar,
  scratch,
  onRead = () => {},
  signal,
}: ApplyRequest): Promise<Applied> {
  const writer = tree === undefined ? undefined : new TreeWriter(tree);
  const nodes = new LayerNodes(below, writer);
  const applier = new LayerApplier(nodes, {
    below,
    writer,
    tree,
    contentBelow,
    isHashed: scratch !== undefined,
  });
  const parser = new TarParser(applier);
  const writeBack = tree === undefined ? undefined : new TreeWriteBack(tree);
  let sum: PlainSum;
  const path = tar ?? scratch;
  using copy = path === undefined ? undefined : new SparseFile(path, path === tar);
  let size = 0;
  try {
    sum = await readTar(source, { isLarge, signal }, (piece) => {
      onRead((size += piece.length));
      copy?.write(piece);
      parser.push(piece);
      writeBack?.grownBy(piece.length);
    });
    parser.finish();
    copy?.finish();
  } catch (error) {
    applier.abandon();
    throw error;
  }
  const toc = applier.finish();
  return { toc, implied: applier.implied, diffId: asDiffId(sum.digest), size: sum.size };
}

/** What a layer is applied to. */
interface Target {
  readonly below: ChainView;
  readonly writer: TreeWriter | undefined;
  readonly tree: HostPath | undefined;
  readonly contentBelow: ((found: Found) => FilePart) | undefined;
  readonly isHashed: boolean;
}

/** A file whose bytes come. */
interface OpenFile {
  readonly file: FileWriter | undefined;
  readonly hash: Hash | undefined;
  readonly entry: FileEntry;
}

class LayerApplier implements TarHandler {
  readonly #nodes: LayerNodes;
  readonly #below: ChainView;
  readonly #writer: TreeWriter | undefined;
  readonly #tree: HostPath | undefined;
  readonly #contentBelow: ((found: Found) => FilePart) | undefined;
  readonly #isHashed: boolean;
  #open: OpenFile | undefined;

  constructor(nodes: LayerNodes, { below, writer, tree, contentBelow, isHashed }: Target) {
    this.#nodes = nodes;
    this.#below = below;
    this.#writer = writer;
    this.#tree = tree;
    this.#contentBelow = contentBelow;
    this.#isHashed = isHashed;
  }

  get implied(): ReadonlySet<BytePath> {
    return this.#nodes.implied;
  }

  entry(fields: TarFields, offset: number | undefined): void {
    const name = checkedName(fields.name);
    if (name === ROOT) {
      if (fields.type !== 'directory') {
        throw new LayerError('unsafe-layer', 'the layer replaces the root folder by something else');
      }
      return; // docker, too: what a layer says of the root folder itself holds nowhere
    }
    if (this.#takeWhiteout(name)) return;
    const path = this.#nodes.place(name);
    if (fields.type === 'directory') {
      this.#nodes.putFolder({ type: 'directory', path, ...attributesIn(fields) });
      return;
    }
    this.#nodes.remove(path);
    this.#put(path, fields, offset);
  }

  /** Whether an entry only says that something below is gone. Names with this prefix cannot be in an image. */
  #takeWhiteout(name: BytePath): boolean {
    const last = baseName(name);
    if (!last.startsWith(WHITEOUT)) return false;
    if (last === OPAQUE) {
      const folder = parentOf(this.#nodes.locate(name));
      if (folder !== ROOT) this.#nodes.makeOpaque(folder);
      return true;
    }
    if (last.startsWith('.wh..wh.')) return true; // book-keeping of AUFS, which means nothing here
    const gone = last.slice(WHITEOUT.length);
    if (gone === '' || gone === '.' || gone === '..') {
      throw new LayerError('unsafe-layer', `the layer holds a whiteout of nothing: ${textOf(name)}`, {
        path: textOf(name),
      });
    }
    this.#nodes.whiteout(this.#nodes.locate(childOf(parentOf(name), gone)));
    return true;
  }

  #put(path: BytePath, fields: TarFields, offset: number | undefined): void {
    switch (fields.type) {
      case 'file': {
        const { type, size } = fields;
        const lies = offset === undefined ? {} : { offset };
        const entry = { type, path, ...attributesIn(fields), size, ...lies };
        const hash = this.#isHashed && offset !== undefined ? createHash('sha256') : undefined;
        this.#open = { file: this.#writer?.openFile(entry), hash, entry };
        return;
      }
      case 'hardlink':
        this.#putHardLink(path, fields);
        return;
      case 'symlink': {
        const entry = { type: fields.type, path, ...attributesIn(fields), target: fields.linkName ?? '' };
        this.#writer?.makeSymlink(entry);
        this.#nodes.put(entry);
        return;
      }
      case 'char':
      case 'block': {
        const entry = { type: fields.type, path, ...attributesIn(fields), ...deviceIn(path, fields) };
        this.#writer?.makeSpecialFile(entry);
        this.#nodes.put(entry);
        return;
      }
      case 'fifo': {
        const entry = { type: fields.type, path, ...attributesIn(fields) };
        this.#writer?.makeSpecialFile(entry);
        this.#nodes.put(entry);
        return;
      }
      case 'directory':
        throw new Error('Internal error: folders are put down by entry()');
    }
  }

  #putHardLink(path: BytePath, fields: TarFields): void {
    const target = this.#nodes.place(checkedName(fields.linkName ?? ''));
    const node = this.#nodes.get(target);
    if (node === undefined) {
      this.#copyFromBelow(path, target);
      return;
    }
    if (node.type === 'directory') {
      throw new LayerError('unsafe-layer', `the layer links ${textOf(path)} to a folder`, {
        path: textOf(path),
      });
    }
    const first = node.type === 'hardlink' ? node.target : target;
    if (first === path) return;
    this.#writer?.makeHardLink(path, first);
    this.#nodes.put({ type: 'hardlink', path, target: first });
    this.#changeAttributes(first, attributesIn(fields));
  }

  /** What an entry says of another name of a file holds for the file. */
  #changeAttributes(path: BytePath, { mode, uid, gid, mtime }: ReturnType<typeof attributesIn>): void {
    const node = this.#nodes.get(path);
    if (node === undefined || node.type === 'hardlink' || node.type === 'directory') return;
    const changed = node.type === 'symlink' ? { ...node, uid, gid } : { ...node, mode, uid, gid, mtime };
    if (sameAttributes(node, changed) && compareTimes(node.mtime, changed.mtime) === 0) return;
    this.#writer?.changeAttributes(changed);
    this.#nodes.put(changed);
  }

  /** A link to a file of a layer below brings that file along: links do not reach across layers. */
  #copyFromBelow(path: BytePath, target: BytePath): void {
    const found = this.#below.lookup(target);
    if (found === undefined || found.node.type === 'directory') {
      throw new LayerError(
        'unsafe-layer',
        `the layer links ${textOf(path)} to ${textOf(target)}, which is not there`,
        {
          path: textOf(path),
        },
      );
    }
    const entry: NodeEntry = { ...found.node, path };
    if (entry.type === 'file') {
      const { offset: _elsewhere, ...file } = entry;
      if (this.#writer !== undefined) {
        if (this.#contentBelow === undefined) throw new Error('Internal error: a tree needs contentBelow');
        this.#writer.copyFile(file, this.#contentBelow(found));
      }
      this.#nodes.put(file);
      return;
    }
    if (entry.type === 'symlink') this.#writer?.makeSymlink(entry);
    else this.#writer?.makeSpecialFile(entry);
    this.#nodes.put(entry);
  }

  data(chunk: Buffer): void {
    this.#open?.file?.write(chunk);
    this.#open?.hash?.update(chunk);
  }

  hole(length: number): void {
    this.#open?.file?.skip(length);
  }

  end(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    open.file?.finish();
    const digest = open.hash && { digest: digestFromHex(open.hash.digest('hex')) };
    this.#nodes.put({ ...open.entry, ...digest });
  }

  finish(): Toc {
    return new Toc(this.#nodes.finish());
  }

  /** Closes what is open, after an error. */
  abandon(): void {
    this.#open?.file?.abandon();
    if (this.#tree !== undefined) rmSync(fsPath(this.#tree), { recursive: true, force: true });
  }
}
