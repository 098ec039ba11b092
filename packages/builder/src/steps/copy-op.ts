import { mkdir } from 'node:fs/promises';
import { hostPath, LayerError, textOf, type BytePath, type Found } from '@caisson/layer';
import { formatPlatform, type Digest } from '@caisson/oci';
import { formId } from '@caisson/store';
import type { LocalContext } from '../context/local-context.ts';
import type { Attributes } from '../copy/destination.ts';
import { Destination, DestinationError } from '../copy/destination.ts';
import { looksOf, type CopiedFolder } from '../copy/kept-folders.ts';
import { plannedLines, type PlannedLine } from '../copy/planned-lines.ts';
import { planCopy } from '../copy/plan-copy.ts';
import type { SourceTree } from '../copy/source-tree.ts';
import type { ViewTree } from '../copy/view-tree.ts';
import { writePlanned, type CopiedLayer } from '../copy/write-planned.ts';
import { buildError } from '../failure.ts';
import type { PlannedCopy } from '../plan/planned.ts';
import type { KeyRecord } from '../solve/key.ts';
import type { Work } from '../solve/op.ts';
import { EMPTY_STATE, type FileState } from '../state.ts';
import { ContextReading } from './context-reading.ts';
import { CopySources } from './copy-sources.ts';
import { EarlierLayers, type EarlierStep, type Keeping } from './earlier-layers.ts';
import { ImageAccounts } from './image-accounts.ts';
import { originTitle } from './origin-title.ts';
import { selectAll } from './select-all.ts';
import { selectionOfState } from './selection-of-state.ts';
import { StepOp, type MadeLayer } from './step-op.ts';
import { selectionDigest } from '../copy/selection-digest.ts';

/** Raised by whatever changes what a COPY or ADD writes. */
const VERSION = 8;

interface Written {
  readonly written: CopiedLayer;
  readonly made: MadeLayer;
}

/** What is to be written, and how. */
interface Plan {
  readonly lines: readonly PlannedLine[];
  readonly looks: ReadonlyMap<BytePath, string> | undefined;
  /** What the lines say that is kept: the layer must be written from that one. */
  readonly keeping: Keeping | undefined;
}

type ContextOrigin = Extract<PlannedCopy['from'], { kind: 'context' }>;

/** `COPY` and `ADD` of files: from the context, another stage or an image, or from the Dockerfile itself. */
export class CopyOp extends StepOp<PlannedCopy> {
  readonly #sources = new CopySources(this.scope, this.step);
  #reading: ContextReading | undefined;

  protected override describe(
    before: FileState,
    inputs: readonly FileState[],
    signal: AbortSignal,
  ): Promise<KeyRecord> {
    return this.#whileReading(() => this.#describe(before, inputs, signal));
  }

  protected override make(work: Work<FileState>, before: FileState): Promise<MadeLayer> {
    const { inputs, signal } = work;
    return this.#whileReading(
      () => this.#make(work, before),
      async () => {
        const record = await this.#describe(before, inputs, signal);
        return { record, ...(await this.#make(work, before)) };
      },
    );
  }

  /** Where the context changes meanwhile, the whole is done once more. */
  #whileReading<T>(read: () => Promise<T>, again = read): Promise<T> {
    const { from, place } = this.step;
    if (from.kind !== 'context') return read();
    this.#reading ??= new ContextReading(from.context, (message) => {
      this.scope.emit({ kind: 'warning', message, place });
    });
    return this.#reading.read(read, again);
  }

  /** The context that it copies from, as it was looked at last. */
  #contextNow({ context }: ContextOrigin): LocalContext {
    return this.#reading?.context ?? context;
  }

  async #describe(before: FileState, inputs: readonly FileState[], signal: AbortSignal): Promise<KeyRecord> {
    const { destination, chown, chmod, excludes, hasParents, isLinked, isUnpacked } = this.step;
    const selection = await this.#selectionDigest(inputs, signal);
    return this.keyRecord(VERSION, standsAlone(this.step) ? undefined : before, {
      destination,
      ...(isLinked ? { link: true } : {}),
      ...(isUnpacked === undefined ? {} : { unpack: isUnpacked }),
      ...(hasParents ? { parents: true } : {}),
      ...(excludes.length === 0 ? {} : { exclude: [...excludes] }),
      ...(chown === undefined ? {} : { chown }),
      ...(chmod === undefined ? {} : { chmod: chmod.kind === 'octal' ? chmod.mode : chmod.text }),
      ...(selection === undefined ? {} : { selection }),
      ...(await this.#sources.keyParts(signal)),
    });
  }

  async #make(work: Work<FileState>, before: FileState): Promise<MadeLayer> {
    const { store, ignoresCache } = this.scope;
    const attributes = await this.#attributes(before, work.signal);
    const { stage, isMounted } = this.place;
    if (ignoresCache(stage)) return this.#makeOf(undefined, attributes, work, before);
    const earlier = new EarlierLayers(this.scope, this.recordsPlace, VERSION, isMounted);
    try {
      return await this.#makeOf(earlier, attributes, work, before);
    } catch (error) {
      if (!(error instanceof LayerError) || error.code !== 'damaged-layer') throw error;
      if (earlier.opened === undefined) throw error;
      await store.blobs.remove(earlier.opened);
      return this.#makeOf(undefined, attributes, work, before);
    }
  }

  /** @param earlier where to look for what is to be taken from a layer that the step made before */
  async #makeOf(
    earlier: EarlierLayers | undefined,
    attributes: Attributes,
    work: Work<FileState>,
    before: FileState,
  ): Promise<MadeLayer> {
    try {
      const { lines, looks, keeping } = await this.#plan(earlier, attributes, work, before);
      const layer = keeping?.from ?? (await earlier?.find(lines));
      const { written, made } = await this.#writeOn(layer, { lines, looks }, work.signal);
      if (written.changed.length === 0) return made;
      return { ...made, record: await this.#recordOfWritten(written, work) };
    } finally {
      await this.#sources.discard();
    }
  }

  async #plan(
    earlier: EarlierLayers | undefined,
    attributes: Attributes,
    { inputs, signal }: Work<FileState>,
    before: FileState,
  ): Promise<Plan> {
    const { chains, clock } = this.scope;
    const base = this.step.isLinked ? EMPTY_STATE : before;
    const destination = new Destination(await chains.view(base, signal));
    const tree = await this.#tree(inputs, signal);
    try {
      const copied = this.#copiedFolder(tree, destination, attributes);
      const keeping = copied && (await earlier?.keeping(copied));
      const items = await this.#sources.items(tree, signal, keeping?.kept);
      planCopy(destination, { items, destination: this.step.destination, attributes });
      const beforeTree = await chains.sources('the state before', base, signal);
      const lines = await plannedLines({
        destination,
        digestBefore: (found) => digestOfFound(beforeTree, found, signal),
        latest: clock.latest,
      });
      return { lines, looks: copied && looksOf(copied), keeping };
    } catch (error) {
      if (!(error instanceof DestinationError)) throw error;
      throw buildError('bad-destination', error.message, {}, error);
    }
  }

  #copiedFolder(
    tree: SourceTree | undefined,
    destination: Destination,
    attributes: Attributes,
  ): CopiedFolder | undefined {
    const folder = tree?.look && this.#sources.onlyFolder(tree);
    if (folder?.tree.look === undefined) return undefined;
    return {
      tree: folder.tree,
      source: folder.node.entry.path,
      target: destination.resolve(this.step.destination),
      attributes,
      latest: this.scope.clock.latest,
      isFree: (path) => destination.before(path) === undefined,
    };
  }

  /** What the step is called in all builds of a process. */
  get #everywhere(): string {
    const { stage, platform } = this.place;
    return [formatPlatform(platform), stage, this.step.text].join('\n');
  }

  async #writeOn(
    earlier: EarlierStep | undefined,
    planned: Pick<Plan, 'lines' | 'looks'>,
    signal: AbortSignal,
  ): Promise<Written> {
    const { session, chains, emit, tocs, spares } = this.scope;
    const tar = session.newPath('layer');
    const toc = session.newPath('toc');
    const base = earlier?.base;
    // What is whole is mounted through a map, where that can be; what little changed lies on it as a tree.
    const isWholeWanted = this.place.isMounted && !(await chains.usesMaps());
    const needsTree = isWholeWanted || base !== undefined;
    const folder = needsTree ? session.newPath('tree') : undefined;
    if (folder !== undefined) await mkdir(folder, { mode: 0o755 });
    const written = await writePlanned({
      ...planned,
      over: spares?.take(this.#everywhere, session.newPath('old')),
      output: hostPath(tar),
      tocOutput: hostPath(toc),
      tree:
        folder === undefined
          ? undefined
          : {
              folder: hostPath(folder),
              base,
              isWholeWanted,
              scratch: hostPath(session.newPath('delta')),
            },
      earlier: earlier?.layer,
      onProgress: (soFar) => emit({ kind: 'step-copying', step: this.place.info, ...soFar }),
      signal,
    });
    const { diffId, contentDigest, size } = written;
    tocs.keep(formId('layer', diffId), written.toc);
    spares?.wrote(this.#everywhere, { diffId, toc: written.toc });
    const tree = written.tree.kind === 'none' ? undefined : folder;
    const delta =
      base !== undefined && written.tree.kind === 'delta'
        ? { base: base.form, size: written.tree.size }
        : undefined;
    return { written, made: { diffId, contentDigest, size, tree, delta, tar, toc } };
  }

  /** A file was edited between the look-up and the copy: the layer goes under the key of what is in it. */
  async #recordOfWritten({ changed }: CopiedLayer, work: Work<FileState>): Promise<KeyRecord> {
    for (const { planned, digest } of changed) {
      const { from } = planned;
      if (from?.kind === 'source') from.tree.correct(from.node, digest);
    }
    const [first] = changed;
    const more = changed.length - 1;
    const others = more > 0 ? ` and ${more} more ${more === 1 ? 'file' : 'files'}` : '';
    this.scope.emit({
      kind: 'warning',
      message: `/${first?.planned.entry.path ?? ''}${others} changed while it was read; what was copied is what was there then`,
      place: this.step.place,
    });
    const [before] = work.inputs;
    if (before === undefined) throw new Error('Internal error: a step without a state before it');
    return this.#describe(before, work.inputs, work.signal);
  }

  /** Where the sources of this step lie; undefined where all of them stand in the Dockerfile. */
  async #tree(inputs: readonly FileState[], signal: AbortSignal): Promise<SourceTree | undefined> {
    const { from, sources } = this.step;
    if (!sources.some((source) => source.kind === 'path')) return undefined;
    if (from.kind === 'context') return this.#contextNow(from);
    return this.scope.chains.origin(originTitle(from), originState(inputs), signal);
  }

  /** What the selected files count as in the key. */
  async #selectionDigest(inputs: readonly FileState[], signal: AbortSignal): Promise<Digest | undefined> {
    const { from, sources } = this.step;
    if (!sources.some((source) => source.kind === 'path')) return undefined;
    if (from.kind === 'context') {
      const context = this.#contextNow(from);
      const selected = selectAll(context, this.step);
      this.titles = selected.map(({ node }) => textOf(node.entry.path));
      return selectionDigest(context, selected, this.parts, signal);
    }
    this.titles = sources.map((source) => (source.kind === 'path' ? source.text : ''));
    return selectionOfState(this.scope, originTitle(from), originState(inputs), this.step, signal);
  }

  async #attributes(before: FileState, signal: AbortSignal): Promise<Attributes> {
    const { chown, chmod } = this.step;
    const { chains, clock, emit } = this.scope;
    if (chown === undefined) return { owner: undefined, mode: chmod, now: clock.now() };
    const accounts = new ImageAccounts(before, await chains.view(before, signal), { chains, signal });
    const { owner, unknown } = await accounts.ownerOf(chown);
    for (const each of unknown) {
      emit({
        kind: 'warning',
        message: `--chown=${chown}: the image knows ${each}`,
        place: this.step.place,
      });
    }
    return { owner, mode: chmod, now: clock.now() };
  }
}

function originState(inputs: readonly FileState[]): FileState {
  const state = inputs[1];
  if (state === undefined) throw new Error('Internal error: a COPY --from without a state to copy from');
  return state;
}

async function digestOfFound(tree: ViewTree, found: Found, signal: AbortSignal): Promise<Digest> {
  const node = tree.lookup(found.node.path);
  const [digest] = node === undefined ? [] : await tree.digests([node], signal);
  if (digest === undefined) throw new Error('Internal error: a file of the state before was not hashed');
  return digest;
}

/** What is linked does not depend on what is there before; the names of users do. */
export function standsAlone({ isLinked, chown }: Pick<PlannedCopy, 'isLinked' | 'chown'>): boolean {
  return isLinked && /^[\d:]*$/.test(chown ?? '');
}
