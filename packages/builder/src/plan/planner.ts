import { nearestPlatformName, parsePlatform, type Platform } from '@caisson/oci';
import {
  errorAt,
  expansionError,
  expandWord,
  parseTrigger,
  stageOfFrom,
  type Diagnostic,
  type Dockerfile,
  type Instruction,
  type Range,
  type Stage,
  suggest,
} from '@caisson/parser';
import type { LocalContext } from '../context/local-context.ts';
import {
  applyArg,
  applyCmd,
  applyEntrypoint,
  applyEnv,
  applyExpose,
  applyHealthcheck,
  applyLabel,
  applyMaintainer,
  applyOnbuild,
  applyShell,
  applyStopsignal,
  applyUser,
  applyVolume,
} from './instructions-metadata.ts';
import { applyCopy } from './copy-instructions.ts';
import { Origins, type NamedContext, type OpenContext, type ResolveImage } from './origins.ts';
import { applyRun, applyWorkdir } from './run-instructions.ts';
import type { Place, PlannedStage } from './planned.ts';
import { withNearestPlatform } from './nearest-platform.ts';
import { planMounts } from './run-mounts.ts';
import type { Entitlement } from '../request.ts';
import { beginWithFiles, beginWithImage, beginWithNothing, type StageBegin } from './stage-base.ts';
import { StageDraft, type Inherited, type StageSettings } from './stage-draft.ts';
import { Once } from '../once.ts';

/** What stages are planned with. */
export interface PlanSettings {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly network: 'host' | 'none';
  readonly allow: ReadonlySet<Entitlement>;
  /** What the image is to run on. */
  readonly platform: Platform;
  /** The main context. */
  readonly context: LocalContext;
  readonly openContext: OpenContext;
  readonly resolveImage: ResolveImage;
}

/** What is wrong with a Dockerfile, and where: an ONBUILD trigger stands in another text. */
export interface PlanProblem {
  readonly diagnostic: Diagnostic;
  readonly place: Place;
}

/** What a stage begins with. */
export interface BegunStage extends StageBegin {
  /** What its base was looked for. */
  readonly wanted: Platform;
  /** Whether a context stands in its place. */
  readonly isReplaced: boolean;
}

interface StageOutcome {
  readonly planned: PlannedStage;
  readonly inherited: Inherited;
}

/**
 * Goes through the stages that a target needs, expands everything in them and finds what they build on. Nothing is
 * run, and of images only their configs are looked at.
 */
export class Planner {
  readonly problems: PlanProblem[] = [];
  /** What the stages that were planned begin with. */
  readonly begun = new Map<Stage, BegunStage>();
  readonly #dockerfile: Dockerfile;
  readonly #settings: PlanSettings;
  readonly #stages = new Once<Stage, Promise<StageOutcome>>();
  readonly #platforms = new Once<Stage, Platform>();
  readonly #origins: Origins;

  constructor(dockerfile: Dockerfile, settings: PlanSettings) {
    this.#dockerfile = dockerfile;
    this.#settings = settings;
    this.#origins = new Origins({
      ...settings,
      dockerfile,
      stage: (stage) => this.plan(stage),
      report: (diagnostic, place) => this.#report(diagnostic, place),
    });
  }

  /** Plans a stage, and those that it needs. It can be built only if there are no problems then. */
  async plan(target: Stage): Promise<PlannedStage> {
    return (await this.#stage(target)).planned;
  }

  #stage(stage: Stage): Promise<StageOutcome> {
    const planned = this.#stages.get(stage, () => this.#planStage(stage));
    planned.catch(() => {}); // whoever waits for it tells
    return planned;
  }

  async #planStage(stage: Stage): Promise<StageOutcome> {
    const replaced = await this.#replacing(stage);
    const wanted = this.#platformOf(stage);
    if (replaced !== undefined) {
      this.begun.set(stage, { ...replaced, wanted, isReplaced: true });
      return this.#outcome(stage, replaced, this.#draft(stage, replaced));
    }
    this.#origins.begin(stage);
    const begin = await this.#base(stage);
    this.begun.set(stage, { ...begin, wanted, isReplaced: false });
    const { OnBuild: triggers = [], ...config } = begin.inherited.config;
    const draft = this.#draft(stage, { ...begin, inherited: { ...begin.inherited, config } });
    for (const trigger of triggers) await this.#applyTrigger(draft, stage, trigger);
    for (const instruction of stage.instructions) {
      await this.#apply(draft, stage, instruction, this.#place(instruction.range));
    }
    return this.#outcome(stage, begin, draft);
  }

  #draft({ from }: Stage, { inherited, first }: StageBegin): StageDraft {
    const draft = new StageDraft(this.#stageSettings(), inherited);
    if (first !== undefined) draft.addStep(first, `FROM ${from.image.text}`);
    return draft;
  }

  #outcome({ index, name }: Stage, { base, platform }: StageBegin, draft: StageDraft): StageOutcome {
    const { steps, history, wholeConfig: config, author, inherited } = draft;
    const title = name ?? `stage-${index}`;
    return { planned: { index, title, base, platform, steps, history, config, author }, inherited };
  }

  /** A context that is named like a stage stands in its place: what the stage says does not count. */
  async #replacing(stage: Stage): Promise<StageBegin | undefined> {
    if (stage.name === undefined) return undefined;
    const place = this.#place(stage.from.range);
    const platform = this.#platformOf(stage);
    const found = await this.#origins.context(stage.name, platform, place);
    return found === undefined ? undefined : beginWith(found, stage.name, platform, place);
  }

  #stageSettings(): StageSettings {
    const { buildArgs, globalArgs, network, allow } = this.#settings;
    const { path, escape } = this.#dockerfile;
    const report = (diagnostic: Diagnostic): void => this.#report(diagnostic, this.#place(diagnostic.range));
    return { path, escape, buildArgs, globalArgs, network, allow, report };
  }

  #report(diagnostic: Diagnostic, place: Place): void {
    this.problems.push({ diagnostic, place });
  }

  #place(range: Range): Place {
    return { path: this.#dockerfile.path, source: this.#dockerfile.source, range };
  }

  async #base(stage: Stage): Promise<StageBegin> {
    const { image } = stage.from;
    const platform = this.#platformOf(stage);
    const scratch = beginWithNothing(platform);
    const expanded = this.#expandGlobal(image.text, image.range);
    if (expanded === undefined) return scratch;
    if (expanded === '') {
      const message = `the image name ${JSON.stringify(image.text)} is empty`;
      this.#report(
        errorAt(image.range, 'invalid-base', message, { hint: 'an ARG before FROM gives it a value' }),
        this.#place(image.range),
      );
      return scratch;
    }
    const parent = stageOfFrom(this.#dockerfile, expanded, stage);
    if (parent !== undefined) {
      const { planned, inherited } = await this.#stage(parent);
      return { base: { kind: 'stage', stage: planned }, platform: planned.platform, inherited };
    }
    if (expanded === 'scratch') return scratch; // unless a stage is called so
    const place = this.#place(image.range);
    const found = await this.#origins.external(expanded, platform, place).catch((error: unknown) => {
      throw stage.from.platform === undefined ? error : withNearestPlatform(error, platform);
    });
    return found === undefined ? scratch : beginWith(found, expanded, platform, place);
  }

  /** What a stage's image is looked for: what its FROM says, else what is built for. */
  #platformOf(stage: Stage): Platform {
    return this.#platforms.get(stage, () => this.#readPlatform(stage));
  }

  #readPlatform({ from: { platform: flag } }: Stage): Platform {
    const { platform } = this.#settings;
    // As with docker, nothing after the equals sign is no platform; a variable that is empty is an error.
    if (flag === undefined || flag.value === '') return platform;
    const expanded = this.#expandGlobal(flag.value ?? '', flag.valueRange);
    if (expanded === undefined) return platform;
    const parsed = parsePlatform(expanded);
    if (parsed.ok) return parsed.value;
    const suggestion = nearestPlatformName(expanded, suggest);
    this.#report(
      errorAt(flag.valueRange, 'invalid-value', parsed.error, { suggestion }),
      this.#place(flag.valueRange),
    );
    return platform;
  }

  #expandGlobal(text: string, range: Range): string | undefined {
    const expanded = expandWord(text, this.#settings.globalArgs, { escape: this.#dockerfile.escape });
    if (expanded.ok) return expanded.value;
    this.#report(expansionError(range, expanded.error), this.#place(range));
    return undefined;
  }

  async #applyTrigger(draft: StageDraft, stage: Stage, trigger: string): Promise<void> {
    const { instruction, source, diagnostics } = parseTrigger(trigger);
    const path = `ONBUILD of ${stage.from.image.text}`;
    for (const diagnostic of diagnostics) this.#report(diagnostic, { path, source, range: diagnostic.range });
    if (instruction === undefined) return;
    const place = { path, source, range: instruction.range };
    const settings = {
      ...draft.settings,
      report: (each: Diagnostic) => this.#report(each, { path, source, range: each.range }),
    };
    const reported = draft.settings;
    draft.settings = settings;
    await this.#apply(draft, stage, instruction, place);
    draft.settings = reported;
  }

  async #apply(draft: StageDraft, stage: Stage, instruction: Instruction, place: Place): Promise<void> {
    switch (instruction.kind) {
      case 'run': {
        const mounts = await planMounts(draft, stage, instruction, place, this.#origins);
        return applyRun(draft, instruction, place, mounts);
      }
      case 'copy':
      case 'add': {
        const origin = await this.#origins.ofCopy(stage, instruction, place);
        if (origin !== undefined) applyCopy(draft, instruction, place, origin);
        return undefined;
      }
      case 'workdir':
        return applyWorkdir(draft, instruction, place);
      case 'env':
        return applyEnv(draft, instruction);
      case 'arg':
        return applyArg(draft, instruction);
      case 'label':
        return applyLabel(draft, instruction);
      case 'user':
        return applyUser(draft, instruction);
      case 'expose':
        return applyExpose(draft, instruction);
      case 'volume':
        return applyVolume(draft, instruction);
      case 'shell':
        return applyShell(draft, instruction);
      case 'cmd':
        return applyCmd(draft, instruction);
      case 'entrypoint':
        return applyEntrypoint(draft, instruction);
      case 'stopsignal':
        return applyStopsignal(draft, instruction);
      case 'healthcheck':
        return applyHealthcheck(draft, instruction);
      case 'maintainer':
        return applyMaintainer(draft, instruction);
      case 'onbuild':
        return applyOnbuild(draft, instruction);
      case 'from':
        throw new Error('Internal error: a FROM begins a stage');
    }
  }
}

function beginWith(found: NamedContext, name: string, platform: Platform, place: Place): StageBegin {
  return found.kind === 'image'
    ? beginWithImage(found.image)
    : beginWithFiles(found.context, name, platform, place);
}
