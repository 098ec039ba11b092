import type { KeptSpace, NamedImage } from '@caisson/store';
import type { BuildEvent } from '../events.ts';
import type { PullEvent } from '../images/pull.ts';
import type { PushEvent } from '../images/push.ts';
import { anySignal } from './any-signal.ts';
import type { CommonOptions } from './build-options.ts';
import { checkOptions } from './check-options.ts';
import { BUILD_BOUNDS, type LostEvents } from './event-bounds.ts';
import { registryAnswers } from './given/answers.ts';
import { defined } from './given/defined.ts';
import { givenPlatform } from './given/platform.ts';
import { placesOf, wireRegistry } from './given/wire-request.ts';
import {
  buildsOptions,
  callOptions,
  imageName,
  newName,
  pruneOptions,
  pullOptions,
  pushOptions,
  registryName,
  removeOptions,
  storeOptions,
  verifyOptions,
} from './option-schemas.ts';
import { Running } from './running.ts';
import type {
  CallOptions,
  PruneOptions,
  Pull,
  PulledImage,
  Push,
  PushedImage,
  Store,
  StoreImage,
} from './store.ts';
import { inThread, type JobOptions } from './thread/caller.ts';
import type { Job, StoreJob } from './thread/protocol.ts';

/**
 * Opens a store, and makes it where there is none.
 * @throws CaissonError `store` where the folder is no store, or not one of this user or version
 */
export async function openStore(options: CommonOptions = {}): Promise<Store> {
  const { signal, ...places } = checkOptions(storeOptions, options);
  const { root } = placesOf(places);
  await inThread<'open'>({ kind: 'open', root }, { signal });
  return new OpenedStore(root, signal);
}

class OpenedStore implements Store {
  readonly root: string;
  readonly #signal: AbortSignal | undefined;
  readonly #end = new AbortController();
  readonly #going = new Set<Promise<unknown>>();

  constructor(root: string, signal: AbortSignal | undefined) {
    this.root = root;
    this.#signal = signal;
  }

  /** Ended with the store, by the signal that it was opened with, or by that of the call. */
  #does<Kind extends StoreJob['kind']>(
    job: Extract<Job, { kind: Kind }>,
    call: CallOptions,
    tools: Omit<JobOptions, 'signal'> = {},
  ) {
    const signal = anySignal(this.#end.signal, this.#signal, call.signal);
    const work = inThread<Kind>(job, { ...tools, signal });
    this.#going.add(work);
    const over = (): void => void this.#going.delete(work);
    work.then(over, over);
    return work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await Promise.allSettled(this.#going);
  }

  async images(given: CallOptions = {}) {
    const call = checkOptions(callOptions, given);
    const { value } = await this.#does<'images'>({ kind: 'images', root: this.root }, call);
    return value.map(storeImage);
  }

  async image(image: string, given: CallOptions = {}) {
    const named = checkOptions(imageName, image, 'image');
    const call = checkOptions(callOptions, given);
    const { value } = await this.#does<'image'>({ kind: 'image', root: this.root, image: named }, call);
    return storeImage(value);
  }

  pull(...given: Parameters<Store['pull']>): Pull {
    const [name, options = {}] = given;
    return new Running<PullEvent | LostEvents, PulledImage>(BUILD_BOUNDS, async (emit, end) => {
      const named = checkOptions(registryName, name, 'name');
      const { platform, registry, signal } = checkOptions(pullOptions, options);
      const which = platform === undefined ? {} : { platform: givenPlatform(platform) };
      const { value } = await this.#does<'pull'>(
        { kind: 'pull', root: this.root, name: named, registry: wireRegistry(registry), ...which },
        { signal: anySignal(end, signal) },
        {
          answers: registryAnswers(registry),
          onEvent: (event) => {
            if (event.kind === 'fetch' || event.kind === 'warning') emit(event);
          },
        },
      );
      return { ...storeImage(value), tagDigest: value.tagDigest };
    });
  }

  push(...given: Parameters<Store['push']>): Push {
    const [name, options = {}] = given;
    return new Running<PushEvent | LostEvents, PushedImage>(BUILD_BOUNDS, async (emit, end) => {
      const named = checkOptions(registryName, name, 'name');
      const { compression, registry, signal } = checkOptions(pushOptions, options);
      const { value } = await this.#does<'push'>(
        {
          kind: 'push',
          root: this.root,
          name: named,
          registry: wireRegistry(registry),
          ...defined({ compression }),
        },
        { signal: anySignal(end, signal) },
        {
          answers: registryAnswers(registry),
          onEvent: (event) => {
            if (isPushEvent(event)) emit(event);
          },
        },
      );
      return { name: named, digest: value.digest, manifest: value };
    });
  }

  async tag(image: string, name: string, given: CallOptions = {}) {
    const names = {
      image: checkOptions(imageName, image, 'image'),
      name: checkOptions(newName, name, 'name'),
    };
    await this.#does<'tag'>({ kind: 'tag', root: this.root, ...names }, checkOptions(callOptions, given));
  }

  async remove(...given: Parameters<Store['remove']>) {
    const image = checkOptions(imageName, given[0], 'image');
    const { force = false, ...call } = checkOptions(removeOptions, given[1] ?? {});
    const job = { kind: 'remove', root: this.root, image, isForced: force } as const;
    return (await this.#does<'remove'>(job, call)).value;
  }

  async builds(...[given = {}]: Parameters<Store['builds']>) {
    const { limit: most = MOST_BUILDS, ...call } = checkOptions(buildsOptions, given);
    return (await this.#does<'builds'>({ kind: 'builds', root: this.root, most }, call)).value;
  }

  async prune(given: PruneOptions = {}) {
    const { unusedFor, kinds, ids, dryRun = false, signal, ...space } = checkOptions(pruneOptions, given);
    const what = {
      isDryRun: dryRun,
      filter: defined({ kinds, ids }),
      ...defined({ unusedFor, keep: keptSpace(space) }),
    };
    return (await this.#does<'prune'>({ kind: 'prune', root: this.root, ...what }, { signal })).value;
  }

  async usage(given: CallOptions = {}) {
    const call = checkOptions(callOptions, given);
    return (await this.#does<'usage'>({ kind: 'usage', root: this.root }, call)).value;
  }

  async entries(given: CallOptions = {}) {
    const call = checkOptions(callOptions, given);
    return (await this.#does<'entries'>({ kind: 'entries', root: this.root }, call)).value;
  }

  async verify(...[given = {}]: Parameters<Store['verify']>) {
    const { repair = false, ...call } = checkOptions(verifyOptions, given);
    return (await this.#does<'verify'>({ kind: 'verify', root: this.root, isRepair: repair }, call)).value;
  }
}

/** No more are kept. */
const MOST_BUILDS = 50;

function storeImage({ id, descriptor, names, config, manifest }: NamedImage): StoreImage {
  return { id, digest: descriptor.digest, names, config, manifest };
}

function keptSpace({
  keepStorage,
  maxUsedSpace,
  minFreeSpace,
}: Pick<PruneOptions, 'keepStorage' | 'maxUsedSpace' | 'minFreeSpace'>): KeptSpace | undefined {
  const kept = defined({ reserved: keepStorage, maxUsed: maxUsedSpace, minFree: minFreeSpace });
  return Object.keys(kept).length === 0 ? undefined : kept;
}

function isPushEvent(event: BuildEvent): event is PushEvent {
  return ['compress', 'send', 'transfer', 'warning'].includes(event.kind);
}
