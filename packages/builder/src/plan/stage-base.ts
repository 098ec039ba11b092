import { platformOf, type ContainerConfig, type Platform } from '@caisson/oci';
import type { BaseImage } from '../bases/base-image.ts';
import type { LocalContext } from '../context/local-context.ts';
import type { Place, PlannedCopy, StageBase } from './planned.ts';
import type { Inherited } from './stage-draft.ts';

/** What a stage begins with. */
export interface StageBegin {
  readonly base: StageBase;
  readonly platform: Platform;
  readonly inherited: Inherited;
  /** Brings the files of a context that the stage builds on. */
  readonly first?: PlannedCopy;
}

const NOTHING = { args: new Map(), env: new Map(), author: undefined };
const SCRATCH_CONFIG: ContainerConfig = { WorkingDir: '/' };

/** A stage that builds on nothing. */
export function beginWithNothing(platform: Platform): StageBegin {
  return { base: { kind: 'scratch' }, platform, inherited: { ...NOTHING, config: SCRATCH_CONFIG } };
}

/** A stage that builds on an image: with all of its config. */
export function beginWithImage(image: BaseImage): StageBegin {
  const { config = {}, author } = image.config;
  const env = new Map((config.Env ?? []).map(splitEnv));
  return {
    base: { kind: 'image', image },
    platform: platformOf(image.config),
    inherited: { ...NOTHING, config, env, author },
  };
}

/** A stage that builds on the files of a context: they are its first layer. */
export function beginWithFiles(
  context: LocalContext,
  name: string,
  platform: Platform,
  place: Place,
): StageBegin {
  const first: PlannedCopy = {
    kind: 'from',
    text: `FROM ${name}`,
    place,
    sources: [{ kind: 'path', text: '/', place }],
    from: { kind: 'context', context },
    destination: '/',
    chown: undefined,
    chmod: undefined,
    excludes: [],
    hasParents: false,
    isUnpacked: false,
    isLinked: false,
  };
  return { ...beginWithNothing(platform), first };
}

/** An image without files. */
export function emptyImage(platform: Platform): BaseImage {
  return {
    name: 'scratch',
    config: { ...platformOf(platform), config: SCRATCH_CONFIG, rootfs: { type: 'layers', diff_ids: [] } },
    state: { layers: [] },
  };
}

function splitEnv(entry: string): [string, string] {
  const equals = entry.indexOf('=');
  return equals === -1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
