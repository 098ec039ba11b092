import {
  digestOf,
  imageConfigBytes,
  manifestBytes,
  MEDIA_TYPES,
  validateImage,
  type ContainerConfig,
  type Descriptor,
  type HistoryEntry,
  type ImageConfig,
  type Manifest,
} from '@caisson/oci';
import type { BuildClock } from '../build-clock.ts';
import { chainOf } from '../plan/planned-stages.ts';
import type { PlannedHistory, PlannedStage } from '../plan/planned.ts';
import type { FileState } from '../state.ts';

/** An image that is complete but for its layers' bytes, which lie in the store. */
export interface AssembledImage {
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** The time of an image in which nothing has one. */
const NO_TIME = '1970-01-01T00:00:00Z';
const COMMENT = 'buildkit.dockerfile.v0';

/**
 * Makes the config and the manifest of a stage's image. They are a function of the plan and of the layers: nothing
 * changed means the same image id.
 */
export function assembleImage(stage: PlannedStage, state: FileState, clock: BuildClock): AssembledImage {
  const history = historyOf(stage, state, clock);
  const { platform } = stage;
  const config: ImageConfig = {
    created: history.at(-1)?.created ?? clock.clamp(NO_TIME),
    ...(stage.author === undefined ? {} : { author: stage.author }),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: writtenConfig(stage.config),
    rootfs: { type: 'layers', diff_ids: state.layers.map(({ diffId }) => diffId) },
    history,
  };
  const configBytes = imageConfigBytes(config);
  const configDescriptor = {
    mediaType: MEDIA_TYPES.ociConfig,
    digest: digestOf(configBytes),
    size: configBytes.length,
  };
  const layers = state.layers.map(({ descriptor }) => descriptor);
  const bytes = manifestBytes(configDescriptor, layers);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: configDescriptor,
    layers,
  };
  const problems = validateImage(manifest, config);
  if (problems.length > 0) throw new Error(`Internal error: the image is not sound: ${problems.join('; ')}`);
  return {
    config,
    configBytes,
    manifest,
    manifestBytes: bytes,
    descriptor: { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length },
  };
}

/** The members that an image's config has, in docker's order. */
const MEMBERS: readonly string[] = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'ArgsEscaped',
  'Healthcheck',
  'OnBuild',
  'Shell',
] satisfies (keyof ContainerConfig)[];

/**
 * A config as docker writes it. What is empty is not there: `ENTRYPOINT []` takes the entry point of the base away. What
 * bases of old say of the container that they were made from (`Hostname`, `Image`) does not live on.
 */
function writtenConfig(config: ContainerConfig): ContainerConfig {
  const entries = Object.entries(config).filter(([name, value]) => MEMBERS.includes(name) && !isEmpty(value));
  return Object.fromEntries(entries.toSorted(([a], [b]) => MEMBERS.indexOf(a) - MEMBERS.indexOf(b)));
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === false;
}

/**
 * The history of the base, and a line for each instruction after it. A layer has the time at which its step ran, also
 * when the cache had it; a line without a layer has the time of the line before it.
 */
function historyOf(stage: PlannedStage, state: FileState, clock: BuildClock): HistoryEntry[] {
  const base = baseHistory(stage);
  const layers = state.layers.slice(base.layers);
  const lines: HistoryEntry[] = base.history.map((entry) => clamped(entry, clock));
  let time = lines.at(-1)?.created ?? clock.clamp(base.created ?? NO_TIME);
  let next = 0;
  for (const { createdBy, step } of planOf(stage)) {
    const layer = step === undefined ? undefined : layers[next];
    if (step !== undefined) next++;
    time = layer?.created ?? time;
    lines.push({
      created: time,
      created_by: createdBy,
      comment: COMMENT,
      ...(step === undefined ? { empty_layer: true } : {}),
    });
  }
  return lines;
}

/** What a stage and the stages that it builds on say, from the bottom. */
function planOf(stage: PlannedStage): PlannedHistory[] {
  return chainOf(stage).flatMap(({ history }) => history);
}

interface BaseHistory {
  readonly history: readonly HistoryEntry[];
  readonly layers: number;
  readonly created: string | undefined;
}

/** The history of the image at the bottom. One that does not fit its layers is replaced by a line a layer. */
function baseHistory(stage: PlannedStage): BaseHistory {
  const base = chainOf(stage)[0]?.base;
  if (base?.kind !== 'image') return { history: [], layers: 0, created: undefined };
  const { config } = base.image;
  const layers = config.rootfs.diff_ids.length;
  const { history = [], created } = config;
  const told = history.filter((entry) => entry.empty_layer !== true).length;
  const time = created === undefined ? {} : { created };
  const lines =
    told === layers
      ? history
      : Array.from({ length: layers }, () => ({ ...time, comment: 'layer of the base image' }));
  return { history: lines, layers, created };
}

function clamped(entry: HistoryEntry, clock: BuildClock): HistoryEntry {
  return entry.created === undefined ? entry : { ...entry, created: clock.clamp(entry.created) };
}
