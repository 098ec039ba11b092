import { rm } from 'node:fs/promises';
import { ROOT, textOf, type BytePath } from '@caisson/layer';
import { digestOf, type Digest, type Json } from '@caisson/oci';
import { redactUrl } from '@caisson/registry/errors';
import { unlessAborted } from '@caisson/runtime';
import { NO_RULES } from '../context/ignore-rules.ts';
import { LocalContext } from '../context/local-context.ts';
import { NO_MEMORY } from '../context/stat-cache.ts';
import { openArchive, type OpenedArchive } from '../copy/archive.ts';
import { unpackChecked } from '../copy/checked-unpack.ts';
import type { KeptFolders } from '../copy/kept-folders.ts';
import type { CopyItem } from '../copy/plan-copy.ts';
import type { RemoteFile } from '../copy/remote-files.ts';
import { everythingIn, type Selected } from '../copy/select-sources.ts';
import type { SourceTree } from '../copy/source-tree.ts';
import { buildError } from '../failure.ts';
import type { PlannedCopy, PlannedSource } from '../plan/planned.ts';
import { selectAll } from './select-all.ts';
import type { StepScope } from './step-scope.ts';

type RemoteSource = Extract<PlannedSource, { kind: 'remote' }>;
type GitSource = Extract<PlannedSource, { kind: 'git' }>;

/** The sources of a COPY or ADD: paths, files that stand in the Dockerfile, URLs, git repositories. */
export class CopySources {
  readonly #scope: StepScope;
  readonly #step: PlannedCopy;
  /** What was made of archives. */
  readonly #folders: string[] = [];

  constructor(scope: StepScope, step: PlannedCopy) {
    this.#scope = scope;
    this.#step = step;
  }

  /** What those that are no paths count as in the key. */
  async keyParts(signal: AbortSignal): Promise<Readonly<Record<string, Json>>> {
    const inline = this.#step.sources.flatMap((source): Json[] =>
      source.kind === 'inline' ? [[source.name, digestOf(source.bytes)]] : [],
    );
    return {
      ...(inline.length === 0 ? {} : { inline }),
      ...(await this.#remoteParts(signal)),
      ...(await this.#gitParts(signal)),
    };
  }

  /** The folder whose contents are copied, and nothing else; undefined where there is more, or something else. */
  onlyFolder(tree: SourceTree): Selected | undefined {
    if (this.#step.sources.length !== 1) return undefined;
    const [selected, ...others] = selectAll(tree, this.#step);
    const isFolder = selected?.parents === undefined && selected?.node.entry.type === 'directory';
    return isFolder && others.length === 0 ? selected : undefined;
  }

  /**
   * What they hold.
   * @param tree where those lie that are paths
   * @param kept what is not looked at in the only folder
   */
  async items(
    tree: SourceTree | undefined,
    signal: AbortSignal,
    kept: KeptFolders | undefined,
  ): Promise<CopyItem[]> {
    const selected = tree === undefined ? [] : selectAll(tree, this.#step);
    const items: CopyItem[] = [];
    for (const each of selected) {
      const isOfContext = tree instanceof LocalContext;
      const unpacked = isOfContext ? await this.#unpackedItem(each, tree, signal) : undefined;
      const digests = await digestsIn(each, signal, kept);
      items.push(unpacked ?? { kind: 'selected', selected: each, digests, kept });
    }
    for (const source of this.#step.sources) {
      if (source.kind === 'inline') items.push(source);
      if (source.kind === 'remote') items.push(await this.#remoteItem(source, signal));
      if (source.kind === 'git') items.push(...(await this.#gitItems(source, signal)));
    }
    return items;
  }

  /** Removes what was made of archives: it need not get to the disk. */
  async discard(): Promise<void> {
    const folders = this.#folders.splice(0);
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }

  #newFolder(): string {
    const folder = this.#scope.session.newPath('archive');
    this.#folders.push(folder);
    return folder;
  }

  /** What is in a file of the context that ADD unpacks; undefined for one that is copied as it is. */
  async #unpackedItem(
    { name: bytes, node }: Selected,
    context: LocalContext,
    signal: AbortSignal,
  ): Promise<CopyItem | undefined> {
    const { kind, isUnpacked } = this.#step;
    if (kind !== 'add' || isUnpacked === false || node.entry.type !== 'file') return undefined;
    const name = textOf(bytes);
    const folder = this.#newFolder();
    return this.#itemOfArchive(await unpackChecked(context, node, { name, folder, signal }), name, signal);
  }

  /** What is in an archive; undefined where the file is none. @param name as people know it */
  async #itemOfArchive(
    opened: OpenedArchive | undefined,
    name: string,
    signal: AbortSignal,
  ): Promise<CopyItem | undefined> {
    const node = opened?.tree.lookup(ROOT);
    if (opened === undefined || node === undefined) return undefined;
    const { tree, implied } = opened;
    const selected = { name, node, tree, parents: undefined };
    return { kind: 'unpacked', selected, digests: await digestsIn(selected, signal), implied };
  }

  /** What files of URLs count as: their bytes, names and times. */
  async #remoteParts(signal: AbortSignal): Promise<Readonly<Record<string, Json>>> {
    const remote: Json[] = [];
    for (const source of this.#step.sources) {
      if (source.kind !== 'remote') continue;
      const { digest, mtime } = await this.#remoteFile(source, signal);
      remote.push([source.name, digest, mtime.seconds]);
    }
    return remote.length === 0 ? {} : { remote };
  }

  async #remoteFile({ url, checksum, place }: RemoteSource, signal: AbortSignal): Promise<RemoteFile> {
    const { remote, ends } = this.#scope;
    const file = await unlessAborted(remote.get(url, ends), signal);
    if (checksum === undefined || checksum === file.digest) return file;
    throw buildError(
      'bad-checksum',
      `${redactUrl(new URL(url))} is not what its checksum says: it has ${file.digest}`,
      {
        place,
        expected: checksum,
      },
    );
  }

  async #remoteItem(source: RemoteSource, signal: AbortSignal): Promise<CopyItem> {
    const file = await this.#remoteFile(source, signal);
    const { name } = source;
    if (this.#step.isUnpacked !== true) return { kind: 'remote', name, file };
    const folder = this.#newFolder();
    const opened = await openArchive(file.path, name, folder, signal);
    return (await this.#itemOfArchive(opened, name, signal)) ?? { kind: 'remote', name, file };
  }

  /** What repositories count as: their commits, and how they are checked out. Nothing is fetched for it. */
  async #gitParts(signal: AbortSignal): Promise<Readonly<Record<string, Json>>> {
    const git: Json[] = [];
    for (const source of this.#step.sources) {
      if (source.kind !== 'git') continue;
      const { reference, keepsGitFolder } = source;
      const { subdir = '', hasSubmodules, mtime, remote } = reference;
      const { git: repositories, ends } = this.#scope;
      const { sha, ref, tag } = await unlessAborted(repositories.commit(reference, ends), signal);
      // Where .git stays, it says where it is from; submodules lie beside their repository.
      const origin = keepsGitFolder ? [remote, ref ?? '', tag ?? ''] : hasSubmodules ? [remote] : [];
      git.push([sha, subdir, hasSubmodules, mtime, keepsGitFolder, origin]);
    }
    return git.length === 0 ? {} : { git };
  }

  async #gitItems(
    { reference, keepsGitFolder, text, place }: GitSource,
    signal: AbortSignal,
  ): Promise<CopyItem[]> {
    const { git, ends } = this.#scope;
    const folder = await unlessAborted(git.checkOut(reference, keepsGitFolder, ends), signal);
    const tree = new LocalContext(text, folder, NO_RULES, NO_MEMORY);
    const selected = selectAll(tree, { ...this.#step, sources: [{ kind: 'path', text: '/', place }] });
    return Promise.all(
      selected.map(async (each): Promise<CopyItem> => ({
        kind: 'selected',
        selected: each,
        digests: await digestsIn(each, signal),
      })),
    );
  }
}

async function digestsIn(
  { node, tree }: Selected,
  signal: AbortSignal,
  kept?: KeptFolders,
): Promise<ReadonlyMap<BytePath, Digest>> {
  const files = [...everythingIn(tree, node, kept)].filter(({ entry }) => entry.type === 'file');
  const digests = await tree.digests(files, signal);
  return new Map(
    files.flatMap(({ entry }, index): [BytePath, Digest][] => {
      const digest = digests[index];
      return digest === undefined ? [] : [[entry.path, digest]];
    }),
  );
}
