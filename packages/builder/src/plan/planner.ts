import {
  formatPlatform,
  parsePlatform,
  parseReference,
  platformOf,
  type ContainerConfig,
  type Platform,
} from '@caisson/oci';
import {
  errorAt,
  expandWord,
  parseTrigger,
  stageOfCopy,
  stageOfFrom,
  suggestStage,
  type AddInstruction,
  type CopyInstruction,
  type Diagnostic,
  type Dockerfile,
  type Instruction,
  type RunInstruction,
  type Range,
  type Stage,
} from '@caisson/parser';
import type { BaseImage } from '../bases/base-image.ts';
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
import { BuildError } from '../failure.ts';
import { applyCopy, fromOf } from './copy-instructions.ts';
import { applyRun, applyWorkdir } from './run-instructions.ts';
import type { CopyOrigin, Place, PlannedMount, PlannedStage, StageBase } from './planned.ts';
import { planMount, readMounts } from './run-mounts.ts';
import type { Entitlement } from '../request.ts';
import { StageDraft, type Inherited, type StageSettings } from './stage-draft.ts';

/** What stages are planned with. */
export interface PlanSettings {
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly globalArgs: ReadonlyMap<string, string>;
  readonly network: 'host' | 'none';
  readonly allow: ReadonlySet<Entitlement>;
  /** What the image is to run on. */
  readonly platform: Platform;
  /** Finds a base image and its config; its layers are not needed yet. */
  readonly resolveImage: (name: string, platform: Platform, place: Place) => Promise<BaseImage>;
}

/** What is wrong with a Dockerfile, and where: an ONBUILD trigger stands in another text. */
export interface PlanProblem {
  readonly diagnostic: Diagnostic;
  readonly place: Place;
}

interface StageOutcome {
  readonly planned: PlannedStage;
  readonly inherited: Inherited;
}

const SCRATCH_CONFIG: ContainerConfig = { WorkingDir: '/' };

/**
 * Goes through the stages that a target needs, expands everything in them and finds what they build on. Nothing is
 * run, and of images only their configs are looked at.
 */
export class Planner {
  readonly problems: PlanProblem[] = [];
  readonly #dockerfile: Dockerfile;
  readonly #settings: PlanSettings;
  readonly #stages = new Map<Stage, Promise<StageOutcome>>();
  readonly #images = new Map<string, Promise<BaseImage>>();

  constructor(dockerfile: Dockerfile, settings: PlanSettings) {
    this.#dockerfile = dockerfile;
    this.#settings = settings;
  }

  /** Plans a stage, and those that it needs. It can be built only if there are no problems then. */
  async plan(target: Stage): Promise<PlannedStage> {
    return (await this.#stage(target)).planned;
  }

  #stage(stage: Stage): Promise<StageOutcome> {
    const known = this.#stages.get(stage);
    if (known !== undefined) return known;
    const planned = this.#planStage(stage);
    this.#stages.set(stage, planned);
    planned.catch(() => {}); // whoever waits for it tells
    return planned;
  }

  async #planStage(stage: Stage): Promise<StageOutcome> {
    this.#beginOrigins(stage);
    const { base, platform, inherited } = await this.#base(stage);
    const triggers = inherited.config.OnBuild ?? [];
    const { OnBuild: _run, ...config } = inherited.config;
    const draft = new StageDraft(this.#stageSettings(), { ...inherited, config });
    for (const trigger of triggers) await this.#applyTrigger(draft, stage, trigger);
    for (const instruction of stage.instructions) {
      await this.#apply(draft, stage, instruction, this.#place(instruction.range));
    }
    const planned: PlannedStage = {
      index: stage.index,
      title: stage.name ?? `stage-${stage.index}`,
      base,
      platform,
      steps: draft.steps,
      history: draft.history,
      config: draft.config,
      author: draft.author,
    };
    return { planned, inherited: draft.inherited };
  }

  /** Begins with the stages and images that COPY needs while the base is still looked for. */
  #beginOrigins(stage: Stage): void {
    for (const instruction of stage.instructions) {
      if (instruction.kind !== 'copy') continue;
      const from = fromOf(instruction);
      if (from === undefined) continue;
      const found = stageOfCopy(this.#dockerfile, from.text, stage, from.flag.range);
      if ('stage' in found && found.stage !== undefined) void this.#stage(found.stage).catch(() => {});
    }
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

  async #base(stage: Stage): Promise<{ base: StageBase; platform: Platform; inherited: Inherited }> {
    const nothing = { args: new Map(), env: new Map(), author: undefined };
    const { image } = stage.from;
    const platform = this.#platformOf(stage);
    const scratch = {
      base: { kind: 'scratch' as const },
      platform,
      inherited: { ...nothing, config: SCRATCH_CONFIG },
    };
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
    if (expanded === 'scratch') return scratch;
    const parent = stageOfFrom(this.#dockerfile, expanded, stage);
    if (parent !== undefined) {
      const { planned, inherited } = await this.#stage(parent);
      return { base: { kind: 'stage', stage: planned }, platform: planned.platform, inherited };
    }
    const found = await this.#image(expanded, platform, this.#place(image.range));
    if (found === undefined) return scratch;
    const config = found.config.config ?? {};
    const env = new Map((config.Env ?? []).map(splitEnv));
    return {
      base: { kind: 'image', image: found },
      platform: platformOf(found.config),
      inherited: { ...nothing, config, env, author: found.config.author },
    };
  }

  /** What a stage's image is looked for: what its FROM says, else what is built for. */
  #platformOf({ from: { platform: flag } }: Stage): Platform {
    const { platform } = this.#settings;
    if (flag === undefined) return platform;
    const expanded = this.#expandGlobal(flag.value ?? '', flag.range);
    if (expanded === undefined) return platform;
    const parsed = parsePlatform(expanded);
    if (parsed.ok) return parsed.value;
    this.#report(errorAt(flag.range, 'invalid-value', parsed.error), this.#place(flag.range));
    return platform;
  }

  #expandGlobal(text: string, range: Range): string | undefined {
    const expanded = expandWord(text, this.#settings.globalArgs, { escape: this.#dockerfile.escape });
    if (expanded.ok) return expanded.value;
    this.#report(errorAt(range, 'invalid-expansion', expanded.error.message), this.#place(range));
    return undefined;
  }

  async #image(name: string, platform: Platform, place: Place): Promise<BaseImage | undefined> {
    const reference = parseReference(name);
    if (!reference.ok) {
      const near = suggestStage(this.#dockerfile, name);
      this.#report(errorAt(place.range, 'invalid-base', reference.error, { suggestion: near }), place);
      return undefined;
    }
    const key = `${name} ${formatPlatform(platform)}`;
    const known = this.#images.get(key) ?? this.#resolve(name, platform, place);
    this.#images.set(key, known);
    return known;
  }

  /** What is no image may have been meant to be a stage. */
  async #resolve(name: string, platform: Platform, place: Place): Promise<BaseImage> {
    try {
      return await this.#settings.resolveImage(name, platform, place);
    } catch (error) {
      const near = suggestStage(this.#dockerfile, name);
      if (!(error instanceof BuildError) || near === undefined) throw error;
      throw new BuildError(
        error.failures.map((failure) => ({ ...failure, suggestion: `the stage ${near}` })),
        error.cause,
      );
    }
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
      case 'run':
        return applyRun(draft, instruction, place, await this.#mounts(draft, stage, instruction, place));
      case 'copy':
      case 'add': {
        const origin = await this.#origin(stage, instruction, place);
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

  async #origin(
    stage: Stage,
    instruction: CopyInstruction | AddInstruction,
    place: Place,
  ): Promise<CopyOrigin | undefined> {
    const from = fromOf(instruction);
    if (from === undefined) return { kind: 'context' };
    const { text, flag } = from;
    const at = { ...place, range: flag.range };
    if (text.includes('$')) {
      const message = "'--from' doesn't support variable expansion, define alias stage instead";
      this.#report(errorAt(flag.range, 'invalid-flag', message), at);
      return undefined;
    }
    return this.#originNamed(stage, text, at);
  }

  /** What a RUN shows to its command besides the files of the stage. */
  async #mounts(
    draft: StageDraft,
    stage: Stage,
    instruction: RunInstruction,
    place: Place,
  ): Promise<PlannedMount[]> {
    const mounts: PlannedMount[] = [];
    for (const written of readMounts(draft, instruction, place)) {
      const { mount, place: at } = written;
      const from = 'from' in mount ? mount.from : undefined;
      const origin: CopyOrigin | undefined =
        from === undefined ? { kind: 'context' } : await this.#originNamed(stage, from, at);
      const planned = origin === undefined ? undefined : planMount(draft, written, origin);
      if (planned !== undefined) mounts.push(planned);
    }
    return mounts.toSorted((a, b) => ((a.target ?? '') < (b.target ?? '') ? -1 : 1));
  }

  /** The stage or image that a name means to an instruction of a stage. */
  async #originNamed(stage: Stage, text: string, at: Place): Promise<CopyOrigin | undefined> {
    const found = stageOfCopy(this.#dockerfile, text, stage, at.range);
    if ('error' in found) {
      this.#report(found.error, at);
      return undefined;
    }
    if (found.stage !== undefined) return { kind: 'stage', stage: (await this.#stage(found.stage)).planned };
    // As with docker, whatever the platform of the stage is.
    const image = await this.#image(text, this.#settings.platform, at);
    return image === undefined ? undefined : { kind: 'image', image };
  }
}

function splitEnv(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return equals === -1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
