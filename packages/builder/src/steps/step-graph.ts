import type { StepInfo } from '../events.ts';
import type { CopyOrigin, PlannedCopy, PlannedRun, PlannedStage, PlannedStep } from '../plan/planned.ts';
import type { Op } from '../solve/op.ts';
import { mountedFiles } from '../plan/mounted-files.ts';
import { EMPTY_STATE, type FileState } from '../state.ts';
import { CopyOp } from './copy-op.ts';
import { KnownState } from './known-state.ts';
import { COPIED_MOUNT, isCopied } from './copied-mount.ts';
import { RunOp } from './run-op.ts';
import type { StepPlace } from './step-op.ts';
import type { StepScope } from './step-scope.ts';
import { WorkdirOp } from './workdir-op.ts';

/** The step graph of stages: ops in place of planned steps, each stage's on those of the stage below. */
export class StepGraph {
  readonly #scope: StepScope;
  readonly #names: ReadonlyMap<PlannedStep, StepInfo>;
  readonly #stages = new Map<PlannedStage, Op<FileState>>();
  readonly #steps = new Map<PlannedStep, Op<FileState>>();
  readonly #mounted = new Set<PlannedStep>();

  /** @param stages all that are needed, each behind those that it needs */
  constructor(scope: StepScope, steps: ReadonlyMap<PlannedStep, StepInfo>, stages: readonly PlannedStage[]) {
    this.#scope = scope;
    this.#names = steps;
    this.#noteMounted(stages);
    for (const stage of stages) this.#add(stage);
  }

  /** The op whose result is the state at the end of a stage. */
  endOf(stage: PlannedStage): Op<FileState> {
    const op = this.#stages.get(stage);
    if (op === undefined) throw new Error('Internal error: a stage that the target does not need');
    return op;
  }

  /** The ops of the steps, in the order of the Dockerfile. */
  get steps(): ReadonlyMap<PlannedStep, Op<FileState>> {
    return this.#steps;
  }

  #add(stage: PlannedStage): void {
    let op = this.#baseOf(stage);
    const texts = new Set(stage.steps.map(({ text }) => text));
    for (const step of stage.steps) {
      op = this.#op(step, { stage, texts }, op);
      this.#steps.set(step, op);
    }
    this.#stages.set(stage, op);
  }

  /** What lies below a RUN will be mounted: its layer is made a tree in the pass that writes it. */
  #noteMounted(stages: readonly PlannedStage[]): void {
    const below = new Set<PlannedStage>();
    for (const stage of stages.toReversed()) {
      const { base, steps } = stage;
      const end = below.has(stage) ? steps.length : steps.findLastIndex(({ kind }) => kind === 'run');
      for (const step of steps.slice(0, Math.max(0, end))) this.#mounted.add(step);
      if (end >= 0 && base.kind === 'stage') below.add(base.stage);
    }
  }

  #baseOf({ base }: PlannedStage): Op<FileState> {
    switch (base.kind) {
      case 'scratch':
        return new KnownState(EMPTY_STATE);
      case 'image':
        return new KnownState(base.image.state);
      case 'stage':
        return this.endOf(base.stage);
    }
  }

  /** The states that a RUN is shown parts of; of the context, and for what is written to, a copy of just that part. */
  #shownTo(step: PlannedRun, place: StepPlace): Op<FileState>[] {
    return step.mounts.flatMap((mount): Op<FileState>[] => {
      const files = mountedFiles(mount);
      if (files === undefined) return [];
      const { from, source } = files;
      const origin = this.#originOf(from);
      if (origin !== undefined && !isCopied(mount)) return [origin];
      const copy: PlannedCopy = {
        kind: 'copy',
        text: step.text,
        place: step.place,
        sources: [source],
        from,
        destination: COPIED_MOUNT,
        chown: undefined,
        chmod: undefined,
        excludes: [],
        // The folder itself is what a cache begins with, not its files alone.
        hasParents: mount.kind === 'cache',
        isUnpacked: false,
        isLinked: true,
      };
      const shown = { ...place, isMounted: true };
      const inputs = [new KnownState(EMPTY_STATE), ...(origin === undefined ? [] : [origin])];
      return [new CopyOp(quiet(this.#scope), copy, shown, inputs)];
    });
  }

  /** The state that files are taken from; undefined where they are those of the context. */
  #originOf(from: CopyOrigin): Op<FileState> | undefined {
    switch (from.kind) {
      case 'context':
        return undefined;
      case 'stage':
        return this.endOf(from.stage);
      case 'image':
        return new KnownState(from.image.state);
    }
  }

  #op(
    step: PlannedStep,
    { stage, texts }: { readonly stage: PlannedStage; readonly texts: ReadonlySet<string> },
    before: Op<FileState>,
  ): Op<FileState> {
    const info = this.#names.get(step);
    if (info === undefined) throw new Error('Internal error: a step without a name');
    const { platform, title } = stage;
    const place: StepPlace = { info, stage: title, texts, platform, isMounted: this.#mounted.has(step) };
    switch (step.kind) {
      case 'run':
        return new RunOp(this.#scope, step, place, [before, ...this.#shownTo(step, place)]);
      case 'workdir':
        return new WorkdirOp(this.#scope, step, place, [before]);
      case 'copy':
      case 'add':
      case 'from': {
        const origin = this.#originOf(step.from);
        return new CopyOp(this.#scope, step, place, origin === undefined ? [before] : [before, origin]);
      }
    }
  }
}

/** The same build, which tells warnings only: for a step that nobody wrote. */
function quiet(scope: StepScope): StepScope {
  return {
    ...scope,
    emit: (event) => {
      if (event.kind === 'warning' || event.kind === 'fetch') scope.emit(event);
    },
  };
}
