import {
  childOf,
  compareBytes,
  ROOT,
  type BytePath,
  type ChainView,
  type Content,
  type NodeEntry,
} from '@caisson/layer';
import type { FinishedImage } from './output.ts';

/** A path of an image as its layers together show it. */
export interface FlatFile {
  readonly entry: NodeEntry;
  /** The path of the same file that came before, for a hard link. */
  readonly linkTo: BytePath | undefined;
  /** Where the bytes of a file lie. */
  readonly content: Content | undefined;
}

/** All files of an image, parents before what is in them, bytewise. */
export async function* flatFiles({ state, chains }: FinishedImage): AsyncGenerator<FlatFile> {
  chains.willMount(state); // all of it is read
  const view = await chains.view(state);
  const first = new Map<string, BytePath>();
  for (const path of pathsOf(view, ROOT)) {
    const found = view.lookup(path);
    if (found === undefined) continue;
    const entry: NodeEntry = { ...found.node, path };
    if (entry.type === 'directory') {
      yield { entry, linkTo: undefined, content: undefined };
      continue;
    }
    const identity = `${found.layer} ${found.node.path}`;
    const linkTo = first.get(identity);
    if (linkTo === undefined) first.set(identity, path);
    const content =
      entry.type === 'file' && linkTo === undefined ? await chains.content(state, found) : undefined;
    yield { entry, linkTo, content };
  }
}

function* pathsOf(view: ChainView, folder: BytePath): Generator<BytePath> {
  for (const name of view.list(folder).toSorted(compareBytes)) {
    const path = childOf(folder, name);
    yield path;
    if (view.lookup(path)?.node.type === 'directory') yield* pathsOf(view, path);
  }
}
