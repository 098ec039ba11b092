import { canonicalJson, digestOf, type Digest } from '@caisson/oci';
import { childOf, type BytePath, type ChainView, type Content, type Found } from '@caisson/layer';
import { hashFiles } from '../context/file-digests.ts';
import type { SourceNode, SourceTree } from './source-tree.ts';

interface ViewNode extends SourceNode {
  readonly found: Found;
}

/** Files that are looked up in layers, as COPY takes them: those of a stage, an image or an archive. */
export class ViewTree implements SourceTree {
  readonly title: string;
  readonly keepsOwners = true;
  readonly #view: ChainView;
  readonly #contentOf: (found: Found) => Promise<Content>;
  readonly #digests = new Map<string, Digest>();

  /** @param contentOf where the bytes of a file lie */
  constructor(title: string, view: ChainView, contentOf: (found: Found) => Promise<Content>) {
    this.title = title;
    this.#view = view;
    this.#contentOf = contentOf;
  }

  lookup(path: BytePath): SourceNode | undefined {
    return this.#node(path);
  }

  children(folder: BytePath): readonly SourceNode[] {
    return this.#view
      .list(folder)
      .map((name) => this.#node(childOf(folder, name)))
      .filter((node) => node !== undefined);
  }

  async digests(files: readonly SourceNode[], signal: AbortSignal): Promise<readonly Digest[]> {
    const unknown = files.filter((file) => this.#digestOf(file) === undefined);
    const contents = await Promise.all(unknown.map((file) => this.content(file)));
    const toHash = contents.map((content, index) => {
      if (content.kind !== 'file') throw new Error('Internal error: content of a layer lies in a file');
      const entry = unknown[index]?.entry;
      return {
        path: content.path,
        size: entry?.type === 'file' ? entry.size : 0,
        ...(content.offset === undefined ? {} : { offset: content.offset }),
      };
    });
    const hashed = await hashFiles(toHash, signal);
    for (const [index, file] of unknown.entries()) {
      const digest = hashed[index];
      if (digest !== undefined) this.#digests.set(file.entry.path, digest);
    }
    return files.map((file) => {
      const digest = this.#digestOf(file);
      if (digest === undefined) throw new Error('Internal error: a file was not hashed');
      return digest;
    });
  }

  content(file: SourceNode): Promise<Content> {
    const node = this.#node(file.entry.path);
    if (node === undefined) throw new Error('Internal error: no such file');
    return this.#contentOf(node.found);
  }

  /** Layers and archives hide nothing. */
  hiddenBy(): undefined {
    return undefined;
  }

  correct(file: SourceNode, digest: Digest): void {
    this.#digests.set(file.entry.path, digest);
  }

  #digestOf({ entry }: SourceNode): Digest | undefined {
    return this.#digests.get(entry.path) ?? (entry.type === 'file' ? entry.digest : undefined);
  }

  /** A hard link has the attributes of the file that it names, under its own path. */
  #node(path: BytePath): ViewNode | undefined {
    const found = this.#view.lookup(path);
    if (found === undefined) return undefined;
    const linkId =
      found.node.type === 'directory' ? undefined : digestOf(canonicalJson([found.layer, found.node.path]));
    return { entry: { ...found.node, path }, linkId, found };
  }
}
