import { formatPlatform, parseReference, type Platform } from '@caisson/oci';
import {
  errorAt,
  stageOfCopy,
  suggestStage,
  type AddInstruction,
  type CopyInstruction,
  type Diagnostic,
  type Dockerfile,
  type Range,
  type Stage,
} from '@caisson/parser';
import type { BaseImage } from '../bases/base-image.ts';
import type { LocalContext } from '../context/local-context.ts';
import { BuildError } from '../failure.ts';
import { fromOf } from './copy-instructions.ts';
import type { CopyOrigin, Place, PlannedStage } from './planned.ts';
import { emptyImage } from './stage-base.ts';
import { Once } from '../once.ts';

/** What a name of a context stands for: files of a folder, or an image. */
export type NamedContext = Extract<CopyOrigin, { kind: 'context' | 'image' }>;

/** Finds what the build was given under a name; undefined for a name that it was not given. */
export type OpenContext = (
  name: string,
  platform: Platform,
  place: Place,
) => Promise<NamedContext | undefined>;

/** Finds a base image and its config; its layers are not needed yet. */
export type ResolveImage = (name: string, platform: Platform, place: Place) => Promise<BaseImage>;

/** What finding origins needs. */
export interface OriginSettings {
  readonly dockerfile: Dockerfile;
  /** The main context. */
  readonly context: LocalContext;
  readonly openContext: OpenContext;
  readonly resolveImage: ResolveImage;
  /** What the image is to run on. */
  readonly platform: Platform;
  readonly stage: (stage: Stage) => Promise<PlannedStage>;
  readonly report: (diagnostic: Diagnostic, place: Place) => void;
}

/** Where the files come from that instructions name: the context, a stage, a context with a name, or an image. */
export class Origins {
  readonly main: CopyOrigin;
  readonly #settings: OriginSettings;
  readonly #images = new Once<string, Promise<BaseImage>>();

  constructor(settings: OriginSettings) {
    this.#settings = settings;
    this.main = { kind: 'context', context: settings.context };
  }

  /** Begins with the stages and images that COPY needs while the base of their stage is still looked for. */
  begin(stage: Stage): void {
    for (const instruction of stage.instructions) {
      if (instruction.kind !== 'copy') continue;
      const from = fromOf(instruction);
      if (from === undefined) continue;
      const range = from.flag.valueRange;
      const found = stageOfCopy(this.#settings.dockerfile, from.text, stage, range);
      if ('error' in found) continue;
      if (found.stage !== undefined) this.#settings.stage(found.stage).catch(() => {});
      else this.#beginImage(from.text, this.#placeOf(range));
    }
  }

  /** What is wrong with the name is told where the instruction is planned. */
  #beginImage(name: string, place: Place): void {
    if (name === 'scratch' || !parseReference(name).ok) return;
    this.external(name, this.#settings.platform, place).catch(() => {});
  }

  #placeOf(range: Range): Place {
    const { path, source } = this.#settings.dockerfile;
    return { path, source, range };
  }

  /** Where a COPY or ADD takes files from; undefined where that cannot be, which is reported. */
  async ofCopy(
    stage: Stage,
    instruction: CopyInstruction | AddInstruction,
    place: Place,
  ): Promise<CopyOrigin | undefined> {
    const from = fromOf(instruction);
    if (from === undefined) return this.main;
    const { text, flag } = from;
    const at = { ...place, range: flag.valueRange };
    if (!text.includes('$')) return this.named(stage, text, at);
    const message = "'--from' doesn't support variable expansion, define alias stage instead";
    const expected = `the name of a stage: FROM ${text} AS name`;
    this.#settings.report(errorAt(flag.valueRange, 'invalid-flag', message, { expected }), at);
    return undefined;
  }

  /** What a name means to an instruction of a stage. */
  async named(stage: Stage, text: string, at: Place): Promise<CopyOrigin | undefined> {
    const { dockerfile, report, platform } = this.#settings;
    const found = stageOfCopy(dockerfile, text, stage, at.range);
    if ('error' in found) {
      report(found.error, at);
      return undefined;
    }
    if (found.stage !== undefined) return { kind: 'stage', stage: await this.#settings.stage(found.stage) };
    if (text === 'scratch') return { kind: 'image', image: emptyImage(platform) };
    // As with docker, whatever the platform of the stage is.
    return this.external(text, platform, at);
  }

  /** What a name means that is no stage: a context with that name, else an image. */
  async external(name: string, platform: Platform, place: Place): Promise<NamedContext | undefined> {
    return (await this.context(name, platform, place)) ?? this.#image(name, platform, place);
  }

  /** The context with a name; undefined where there is none. */
  context(name: string, platform: Platform, place: Place): Promise<NamedContext | undefined> {
    return this.#settings.openContext(name, platform, place);
  }

  async #image(name: string, platform: Platform, place: Place): Promise<NamedContext | undefined> {
    const { dockerfile, report } = this.#settings;
    const reference = parseReference(name);
    if (!reference.ok) {
      const near = suggestStage(dockerfile, name);
      report(errorAt(place.range, 'invalid-base', reference.error, { suggestion: near }), place);
      return undefined;
    }
    const key = `${name} ${formatPlatform(platform)}`;
    const image = await this.#images.get(key, () => this.#resolve(name, platform, place));
    return { kind: 'image', image };
  }

  /** What is no image may have been meant to be a stage. */
  async #resolve(name: string, platform: Platform, place: Place): Promise<BaseImage> {
    const { dockerfile, resolveImage } = this.#settings;
    try {
      return await resolveImage(name, platform, place);
    } catch (error) {
      const near = suggestStage(dockerfile, name);
      if (!(error instanceof BuildError) || near === undefined) throw error;
      throw new BuildError(
        error.failures.map((failure) => ({ ...failure, suggestion: `the stage ${near}` })),
        error.cause,
      );
    }
  }
}
