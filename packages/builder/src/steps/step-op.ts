import { rm } from 'node:fs/promises';
import { formatPlatform, type Json, type Platform } from '@caisson/oci';
import { removeTreeLater, formId, type FormId } from '@caisson/store';
import type { CommittedLayer } from '@caisson/runtime';
import { MEDIA_TYPES } from '@caisson/oci';
import { BuildError } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import type { StepInfo } from '../events.ts';
import type { PlannedStep } from '../plan/planned.ts';
import { stepKey, type KeyRecord, type StepKey } from '../solve/key.ts';
import type { Keyed, Op, OpObserver, Work } from '../solve/op.ts';
import { contentOf, stateDigest, type FileState, type StateLayer } from '../state.ts';
import type { StepScope } from './step-scope.ts';

/** A layer that a step made, still in the session's folder. */
export interface MadeLayer extends CommittedLayer {
  /** The file of its tar. */
  readonly tar: string;
  /** The file of its table of contents. */
  readonly toc: string;
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
  #startedAt = 0;
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
      onStart: (key) => {
        this.#startedAt = performance.now();
        emit({ kind: 'step-started', step: info, key });
      },
      onDone: () => emit({ kind: 'step-done', step: info, duration: this.#duration(), isSame: this.#isSame }),
      onFailure: () => emit({ kind: 'step-failed', step: info, duration: this.#duration() }),
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

  async find(key: StepKey, inputs: readonly FileState[]): Promise<FileState | undefined> {
    const { store, session, noCache } = this.scope;
    if (noCache) return undefined;
    const record = await store.records.get(session, key);
    if (record === undefined) return undefined;
    const { diffId, contentDigest, size } = record.layer;
    if (!(await store.blobs.has(session, diffId))) return undefined;
    return extended(firstOf(inputs), { diffId, contentDigest, size }, record.created);
  }

  async execute(work: Work<FileState>): Promise<FileState> {
    return this.#explained(async () => {
      const before = firstOf(work.inputs);
      const made = await this.make(work, before);
      return this.#keep(made.record ?? work.record, before, made);
    });
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
      ...(before === undefined ? {} : { state: [...contentOf(before)] }),
      ...rest,
    };
  }

  /** Early cutoff: a layer with a content that is there already on the same state is dropped for the older one. */
  async #keep(record: KeyRecord, before: FileState, made: MadeLayer): Promise<FileState> {
    const { store, session, noCache, clock } = this.scope;
    const state = stateDigest(before);
    const { contentDigest } = made;
    const older = noCache ? undefined : store.lookUps.layerWithContent(state, contentDigest);
    const olderSize = older === undefined ? undefined : store.blobs.size(older.diffId);
    if (older !== undefined && olderSize !== undefined && (await store.blobs.has(session, older.diffId))) {
      this.#isSame = true;
      const layer = { diffId: older.diffId, contentDigest, size: olderSize };
      await Promise.all([rm(made.tar), rm(made.toc), made.tree && removeTreeLater(made.tree)]);
      await this.#putRecord(record, layer, older.created);
      return extended(before, layer, older.created);
    }
    const created = clock.created();
    const form = formId('layer', made.diffId);
    await store.blobs.adopt(session, made.tar, { digest: made.diffId, size: made.size });
    await store.forms.adoptToc(session, made.toc, form);
    if (made.tree !== undefined) await store.forms.adoptTree(session, made.tree, form);
    store.lookUps.rememberContent(state, contentDigest, { diffId: made.diffId, created });
    await this.#putRecord(record, made, created);
    return extended(before, made, created);
  }

  async #putRecord(record: KeyRecord, layer: LayerFacts, created: string): Promise<void> {
    const { store, session, dockerfile } = this.scope;
    const { diffId, size, contentDigest } = layer;
    await store.records.put(session, {
      key: stepKey(record),
      keyRecord: record,
      layer: { diffId, size, contentDigest },
      created,
      stage: this.place.stage,
      dockerfile,
    });
  }

  /** Says of a failure where in the Dockerfile it comes from. */
  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const failures = failuresOf(error, { place: this.step.place });
      throw failures === undefined ? error : new BuildError(failures, error);
    }
  }

  #duration(): number {
    return performance.now() - this.#startedAt;
  }
}

type LayerFacts = Pick<MadeLayer, 'diffId' | 'contentDigest' | 'size'>;

function extended(
  before: FileState,
  { diffId, contentDigest, size }: LayerFacts,
  created: string,
): FileState {
  const form: FormId = formId('layer', diffId);
  const descriptor = { mediaType: MEDIA_TYPES.ociLayerTar, digest: diffId, size };
  const layer: StateLayer = { diffId, content: contentDigest, form, descriptor, created };
  return { layers: [...before.layers, layer] };
}

function firstOf(inputs: readonly FileState[]): FileState {
  const [before] = inputs;
  if (before === undefined) throw new Error('Internal error: a step without a state before it');
  return before;
}
