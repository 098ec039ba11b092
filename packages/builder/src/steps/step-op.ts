import { rm } from 'node:fs/promises';
import { digestOf, formatPlatform, type Digest, type Json, type Platform } from '@caisson/oci';
import { removeTreeLater, formId, type FormId, type RecordsPlace, type StepRecord } from '@caisson/store';
import { unlessAborted, type CommittedLayer } from '@caisson/runtime';
import { MEDIA_TYPES } from '@caisson/oci';
import { LostLayer } from '../cache/imported-cache.ts';
import { BuildError } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import type { StepInfo } from '../events.ts';
import type { PlannedStep } from '../plan/planned.ts';
import { stepKey, type KeyRecord, type StepKey } from '../solve/key.ts';
import type { Keyed, Op, OpObserver, Work } from '../solve/op.ts';
import { stateDigest, statePart, withLayer, type FileState } from '../state.ts';
import type { StepToExplain } from '../explain/compare-records.ts';
import { explainMiss } from '../explain/explain-miss.ts';
import type { FileChange, MissReason } from '../solve/miss-reason.ts';
import { KeyParts } from '../solve/key-parts.ts';
import type { ResultInBuild } from '../watch/superseded.ts';
import { rememberLayer } from '../cache/layer-content.ts';
import { olderLayer } from './older-layer.ts';
import { StepHistory } from './step-history.ts';
import type { StepScope } from './step-scope.ts';

/** A layer that a step made, still in the session's folder. */
export interface MadeLayer extends CommittedLayer {
  /** The file of its tar. */
  readonly tar: string;
  /** The file of its table of contents. */
  readonly toc: string;
  /** Where the tree is a delta: what it lies on, and what it takes in bytes. */
  readonly delta?: { readonly base: FormId; readonly size: number } | undefined;
  /** What the step turned out to depend on, where that is not what it was looked up with. */
  readonly record?: KeyRecord;
}

/** What the steps of a stage are told of the stage. */
export interface StepPlace {
  readonly info: StepInfo;
  /** The stage's name or number. */
  readonly stage: string;
  /** What the stage is for. */
  readonly platform: Platform;
  /** The instructions of the stage's steps, a line each. */
  readonly texts: ReadonlySet<string>;
  /** Whether a RUN stands on it. */
  readonly isMounted: boolean;
}

/**
 * A step of a Dockerfile as the solver sees it: looked up by key, else run; and then the layer that it made becomes
 * part of the store, or gives way to an older one with the same content.
 */
export abstract class StepOp<Step extends PlannedStep> implements Op<FileState> {
  readonly inputs: readonly Op<FileState>[];
  readonly observer: OpObserver<FileState>;
  protected readonly scope: StepScope;
  protected readonly step: Step;
  protected readonly place: StepPlace;
  /** What digests in the step's key record are made from. */
  protected readonly parts = new KeyParts();
  /** What the things that it selects are called. */
  protected titles: readonly string[] = [];
  #reason: MissReason | undefined;
  #startedAt = 0;
  /** What it was compared with. */
  #history: StepHistory | undefined;
  #isSame = false;

  /** @param inputs the state before the step, then the states that it takes files from */
  constructor(scope: StepScope, step: Step, place: StepPlace, inputs: readonly Op<FileState>[]) {
    this.scope = scope;
    this.step = step;
    this.place = place;
    this.inputs = inputs;
    const { emit } = scope;
    const { info } = place;
    this.observer = {
      onHit: (key) => emit({ kind: 'step-cached', step: info, key }),
      onStart: (key, record, reason) => {
        this.#startedAt = performance.now();
        emit({ kind: 'step-started', step: info, key, record, reason });
        // A RUN stands on it and will hardly be in the cache: what that runs in comes up meanwhile.
        if (place.isMounted) scope.host().catch(() => {}); // the RUN tells
      },
      onDone: () => emit({ kind: 'step-done', step: info, duration: this.#duration(), isSame: this.#isSame }),
      onFailure: (error) => {
        // It is solved again.
        if (error instanceof LostLayer) return;
        emit({ kind: 'step-failed', step: info, duration: this.#duration() });
      },
      onCancel: (why) => {
        if (why instanceof LostLayer) return; // so are others, then
        emit({ kind: 'step-cancelled', step: info, duration: this.#duration() });
      },
    };
  }

  /** What the result depends on besides what every step depends on. */
  protected abstract describe(
    before: FileState,
    inputs: readonly FileState[],
    signal: AbortSignal,
  ): Promise<KeyRecord>;

  /** Makes the layer. */
  protected abstract make(work: Work<FileState>, before: FileState): Promise<MadeLayer>;

  async key(inputs: readonly FileState[], signal: AbortSignal): Promise<Keyed<FileState>> {
    return this.#explained(async () => {
      const before = firstOf(inputs);
      return { kind: 'key', record: await this.describe(before, inputs, signal) };
    });
  }

  async find(
    key: StepKey,
    inputs: readonly FileState[],
    signal: AbortSignal,
  ): Promise<FileState | undefined> {
    const { store, ignoresCache, imported, turns } = this.scope;
    if (ignoresCache(this.place.stage)) return undefined;
    await turns?.take(key, this.id, signal);
    const before = firstOf(inputs);
    const here = await this.#findHere(key, before);
    const record = here ?? (await unlessAborted(imported.find(key), signal));
    if (record === undefined) return undefined; // it is this step's turn until it has run
    if (here === undefined) store.pastRecords.noteImported(key);
    turns?.release(key, this.id);
    this.#share(record, before, 'nothing');
    return this.#extended(before, record.layer, record.created);
  }

  /** The store's own record, if its layer is there. */
  async #findHere(key: StepKey, before: FileState): Promise<StepRecord | undefined> {
    const { store, session } = this.scope;
    const record = await store.records.get(session, key);
    if (record === undefined || !(await store.blobs.has(session, record.layer.diffId))) return undefined;
    // The database may have been lost since the step ran.
    if (!store.pastRecords.has(key)) this.#remember(record, before);
    return record;
  }

  #remember(record: StepRecord, before: FileState): void {
    const { store, context } = this.scope;
    for (const part of partsOfStates(before, record.layer.contentDigest)) this.parts.add(part);
    store.pastRecords.add(record, this.parts.texts, context);
  }

  /** What is exported is what a build found or made. */
  #share(record: StepRecord, before: FileState, made: ResultInBuild['made']): void {
    const { key, layer } = record;
    this.scope.onResult({ key, layer, made, state: digestOf(statePart(before, layer.contentDigest)) });
    for (const each of this.scope.exports) each.add(record);
  }

  async explain(key: StepKey, record: KeyRecord, inputs: readonly FileState[]): Promise<MissReason> {
    this.#reason = await this.#reasonFor(key, record, firstOf(inputs));
    return this.#reason;
  }

  async #reasonFor(key: StepKey, record: KeyRecord, before: FileState): Promise<MissReason> {
    const { ignoresCache, imported } = this.scope;
    if (ignoresCache(this.place.stage)) return { kind: 'no-cache' };
    if (await imported.isLost(key)) return { kind: 'lost' };
    this.#history = new StepHistory(this.scope, this.recordsPlace, this.parts.texts);
    return explainMiss(key, record, this.#toExplain(before), this.#history);
  }

  /** The number of the step. */
  get id(): number {
    return this.place.info.id;
  }

  /** Why it ran; undefined where it did not. */
  get reason(): MissReason | undefined {
    return this.#reason;
  }

  #toExplain(before: FileState): StepToExplain {
    return {
      before,
      context: this.scope.context,
      platform: this.place.info.platform,
      titles: this.titles,
      args: this.args,
      mounted: this.mounted,
    };
  }

  /** The variables of its environment that are args. */
  protected get args(): ReadonlySet<string> {
    return new Set();
  }

  /** Files that its mounts show and that differ from an earlier time, where those were copied for it. */
  protected get mounted(): readonly FileChange[] {
    return [];
  }

  /** Where records of earlier builds are looked for. */
  protected get recordsPlace(): RecordsPlace {
    const { dockerfile, context, since } = this.scope;
    const { kind: op, text } = this.step;
    const { stage, texts: siblings } = this.place;
    return { op, stage, dockerfile, context, text, siblings, since };
  }

  async execute(work: Work<FileState>): Promise<FileState> {
    try {
      return await this.#explained(async () => {
        const before = firstOf(work.inputs);
        const made = await this.make(work, before);
        return this.#keep(made.record ?? work.record, before, made);
      });
    } finally {
      this.scope.turns?.release(work.key, this.id);
    }
  }

  /** The beginning of every key record. */
  protected keyRecord(
    version: number,
    before: FileState | undefined,
    rest: Readonly<Record<string, Json>>,
  ): KeyRecord {
    const { platform } = this.place;
    const { clock } = this.scope;
    return {
      op: this.step.kind,
      version,
      platform: formatPlatform(platform),
      ...(clock.latest === undefined ? {} : { sourceDateEpoch: clock.latest.seconds }),
      ...(before === undefined ? {} : { state: stateDigest(before) }),
      ...rest,
    };
  }

  /** Early cutoff: a layer with a content that is there already on the same state is dropped for the older one. */
  async #keep(record: KeyRecord, before: FileState, made: MadeLayer): Promise<FileState> {
    const { store, session, clock, ignoresCache } = this.scope;
    const { contentDigest } = made;
    const content = { state: stateDigest(before), content: contentDigest, epoch: clock.latest?.seconds };
    const isWanted = !ignoresCache(this.place.stage);
    const older = isWanted ? await olderLayer(this.scope, content) : undefined;
    if (older !== undefined) {
      this.#isSame = this.#gaveEarlier(older.diffId);
      const layer = { ...older, contentDigest };
      await Promise.all([rm(made.tar), rm(made.toc), made.tree && removeTreeLater(made.tree)]);
      await this.#putRecord(record, before, layer, older.created, 'record');
      return this.#extended(before, layer, older.created);
    }
    const created = clock.created();
    const form = formId('layer', made.diffId);
    await store.blobs.adopt(session, made.tar, { digest: made.diffId, size: made.size });
    await store.forms.adoptToc(session, made.toc, form);
    if (made.tree !== undefined)
      await store.forms.adoptTree(session, made.tree, form, made.delta ?? { size: made.size });
    rememberLayer(store, content, { diffId: made.diffId, created });
    await this.#putRecord(record, before, made, created, 'layer');
    return this.#extended(before, made, created);
  }

  /** Whether the layer is one that this step gave in an earlier build, not another step. */
  #gaveEarlier(diffId: Digest): boolean {
    const kind = this.#reason?.kind;
    if (kind === 'evicted' || kind === 'lost') return true;
    return this.#history?.hasLayer(diffId) === true;
  }

  async #putRecord(
    record: KeyRecord,
    before: FileState,
    layer: LayerFacts,
    created: string,
    made: 'record' | 'layer',
  ): Promise<void> {
    const { store, session, dockerfile } = this.scope;
    const { diffId, size, contentDigest } = layer;
    const { platform } = this.place.info;
    const kept: StepRecord = {
      key: stepKey(record),
      keyRecord: record,
      layer: { diffId, size, contentDigest },
      created,
      stage: this.place.stage,
      dockerfile,
      text: this.step.text,
      ...(platform === undefined ? {} : { platform }),
    };
    await store.records.put(session, kept);
    this.#share(kept, before, made);
    this.#remember(kept, before);
  }

  /** Says of a failure where in the Dockerfile it comes from. */
  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { id, text, platform } = this.place.info;
      const step = { id, text, ...(platform === undefined ? {} : { platform }) };
      const failures = failuresOf(error, { place: this.step.place, step });
      throw failures === undefined ? error : new BuildError(failures, error);
    }
  }

  #extended(before: FileState, { diffId, contentDigest, size }: LayerFacts, created: string): FileState {
    const descriptor = { mediaType: MEDIA_TYPES.ociLayerTar, digest: diffId, size };
    const form = formId('layer', diffId);
    const step = this.place.info;
    return withLayer(before, { diffId, content: contentDigest, form, descriptor, created, step });
  }

  #duration(): number {
    return performance.now() - this.#startedAt;
  }
}

type LayerFacts = Pick<MadeLayer, 'diffId' | 'contentDigest' | 'size'>;

/** What the digest of the state behind a step is made from; and, where it is the first, those of the base. */
function partsOfStates(before: FileState, content: Digest): string[] {
  const parts = [statePart(before, content)];
  if (before.layers.at(-1)?.step !== undefined) return parts;
  const base = before.layers.map((layer, index) =>
    statePart({ layers: before.layers.slice(0, index) }, layer.content),
  );
  return [...base, ...parts];
}

function firstOf(inputs: readonly FileState[]): FileState {
  const [before] = inputs;
  if (before === undefined) throw new Error('Internal error: a step without a state before it');
  return before;
}
