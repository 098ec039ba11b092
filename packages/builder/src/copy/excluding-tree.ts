import { textOf, type BytePath, type Content } from '@caisson/layer';
import type { Digest } from '@caisson/oci';
import type { IgnoreMatcher } from '@caisson/parser';
import type { FolderLists } from './folder-lists.ts';
import type { HidingRule, SourceNode, SourceTree } from './source-tree.ts';

/** A tree without what `--exclude` names: patterns start at the source that was selected. */
export class ExcludingTree implements SourceTree {
  readonly title: string;
  readonly keepsOwners: boolean;
  readonly lists: FolderLists | undefined;
  readonly #tree: SourceTree;
  readonly #root: BytePath;
  readonly #patterns: IgnoreMatcher;

  /** @param root the path of the source */
  constructor(tree: SourceTree, root: BytePath, patterns: IgnoreMatcher) {
    this.title = tree.title;
    this.keepsOwners = tree.keepsOwners;
    this.lists = tree.lists?.view(`${root}\0${patterns.source.text}`);
    this.#tree = tree;
    this.#root = root;
    this.#patterns = patterns;
  }

  lookup(path: BytePath): SourceNode | undefined {
    return this.#tree.lookup(path);
  }

  children(folder: BytePath): readonly SourceNode[] {
    return this.#tree.children(folder).filter(({ entry: { path, type } }) => {
      const relative = textOf(this.#root === '' ? path : path.slice(this.#root.length + 1));
      if (!this.#patterns.ignores(relative)) return true;
      return type === 'directory' && this.#patterns.mayContainIncluded(relative);
    });
  }

  digests(files: readonly SourceNode[], signal: AbortSignal): Promise<readonly Digest[]> {
    return this.#tree.digests(files, signal);
  }

  content(file: SourceNode): Promise<Content> {
    return this.#tree.content(file);
  }

  hiddenBy(path: BytePath): HidingRule | undefined {
    return this.#tree.hiddenBy(path);
  }

  correct(file: SourceNode, digest: Digest): void {
    this.#tree.correct(file, digest);
  }
}
