import type { Json } from '@caisson/oci';
import type { SandboxHost, SandboxMount } from '@caisson/runtime';
import type { OpenCacheMount } from '@caisson/store';
import { optionWords } from '../option-words.ts';
import { buildError } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import { mountedFiles } from '../plan/mounted-files.ts';
import type { PlannedMount } from '../plan/planned.ts';
import type { StepKey } from '../solve/key.ts';
import { stateDigest, type FileState } from '../state.ts';
import { COPIED_MOUNT, isCopied } from './copied-mount.ts';
import { originTitle } from './origin-title.ts';
import { selectionOfState } from './selection-of-state.ts';
import type { StepScope } from './step-scope.ts';

/** What a RUN is shown while it runs, and variables that come with it. Disposing of it gives caches back. */
export interface OpenMounts extends Disposable {
  readonly mounts: readonly SandboxMount[];
  readonly env: readonly string[];
}

interface OpenOptions {
  readonly sandboxes: SandboxHost;
  readonly beginsAnew: boolean;
  readonly signal: AbortSignal;
}

type Mount<Kind extends PlannedMount['kind']> = Extract<PlannedMount, { kind: Kind }>;

/** The mounts of a RUN: what they count as in its key, and what they become in its sandbox. */
export class RunMounts {
  readonly #scope: StepScope;
  readonly #mounts: readonly PlannedMount[];
  /** By id: they may change while the step runs. */
  readonly #shownSecrets = new Map<string, Uint8Array>();

  /** The mounts that have files have their states among the inputs of the step, in order, behind the state before it. */
  constructor(scope: StepScope, mounts: readonly PlannedMount[]) {
    this.#scope = scope;
    this.#mounts = mounts;
  }

  /** A mount counts by what it is and what files it has. What is in a cache, a secret or an agent counts for nothing. */
  async keyParts(inputs: readonly FileState[], signal: AbortSignal): Promise<Json[]> {
    const states = this.#statesOf(inputs);
    return Promise.all(this.#mounts.map((mount) => this.#keyPart(mount, states.get(mount), signal)));
  }

  async #keyPart(
    mount: PlannedMount,
    state: FileState | undefined,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, Json>>> {
    switch (mount.kind) {
      case 'bind': {
        const { kind, target, isReadOnly } = mount;
        return { kind, target, isReadOnly, content: await this.#contentOf(mount, state, signal) };
      }
      case 'cache': {
        const { seed: _files, ...rest } = mount;
        return state === undefined ? rest : { ...rest, seed: stateDigest(state) };
      }
      case 'tmpfs':
        return { kind: mount.kind, target: mount.target, size: mount.size ?? null };
      case 'secret': {
        const { place: _where, target = null, env = null, isRequired: _asked, ...rest } = mount;
        return { ...rest, target, env };
      }
      case 'ssh': {
        const { place: _where, isRequired: _asked, ...rest } = mount;
        return rest;
      }
    }
  }

  async #contentOf(mount: Mount<'bind'>, state: FileState | undefined, signal: AbortSignal): Promise<Json> {
    const { from, source } = mount;
    // What was copied for it holds nothing else.
    if (from.kind === 'context') return stateDigest(there(state));
    this.#scope.chains.willMount(there(state));
    return selectionOfState(this.#scope, originTitle(from), there(state), { sources: [source] }, signal);
  }

  #statesOf(inputs: readonly FileState[]): ReadonlyMap<PlannedMount, FileState> {
    const withFiles = this.#mounts.filter((mount) => mountedFiles(mount) !== undefined);
    return new Map(withFiles.map((mount, index) => [mount, there(inputs[index + 1])]));
  }

  /** Makes what has to be there before the command runs. @throws BuildError `missing-secret` */
  async open(
    inputs: readonly FileState[],
    { sandboxes, beginsAnew, signal }: OpenOptions,
  ): Promise<OpenMounts> {
    using stack = new DisposableStack();
    const states = this.#statesOf(inputs);
    const mounts: SandboxMount[] = [];
    const env: string[] = [];
    const caches = await this.#scope.caches.open(this.#mounts, states, {
      held: stack,
      beginsAnew,
      isMoved: await this.#movesCaches(sandboxes, signal),
    });
    for (const mount of this.#mounts) {
      const made = await this.#open(mount, states.get(mount), caches, signal);
      mounts.push(...made.mounts);
      env.push(...made.env);
    }
    const open = stack.move();
    return { mounts, env, [Symbol.dispose]: () => open.dispose() };
  }

  /** Whether a cache is moved to where the step wants it: then nobody else can use it meanwhile. */
  async #movesCaches(sandboxes: SandboxHost, signal: AbortSignal): Promise<boolean> {
    if (!this.#mounts.some(({ kind }) => kind === 'cache')) return false;
    return (await sandboxes.rootKind(signal)) === 'copied';
  }

  async #open(
    mount: PlannedMount,
    state: FileState | undefined,
    caches: ReadonlyMap<PlannedMount, OpenCacheMount>,
    signal: AbortSignal,
  ): Promise<Opened> {
    switch (mount.kind) {
      case 'bind': {
        const { target, isReadOnly, source } = mount;
        const layers = this.#scope.chains.source(there(state), signal);
        const path = isCopied(mount) ? COPIED_MOUNT : source.text;
        return shown({ kind: 'layers', layers, path, target, isReadOnly });
      }
      case 'tmpfs':
        return shown({ kind: 'tmpfs', target: mount.target, size: mount.size });
      case 'cache': {
        const cache = caches.get(mount);
        if (cache === undefined) throw new Error('Internal error: a cache that is not open');
        return shown({
          kind: 'cache',
          source: cache.path,
          away: cache.away,
          target: mount.target,
          isReadOnly: mount.isReadOnly,
        });
      }
      case 'secret':
        return this.#openSecret(mount);
      case 'ssh':
        return this.#openAgent(mount);
    }
  }

  async #openSecret(mount: Mount<'secret'>): Promise<Opened> {
    const { id, target, mode, uid, gid, isRequired, place } = mount;
    const bytes = await this.#scope.secret(id);
    if (bytes === undefined && isRequired) {
      throw buildError('missing-secret', `the secret ${JSON.stringify(id)} is required and was not given`, {
        place,
        hint: optionWords().secret(id),
      });
    }
    if (bytes !== undefined) this.#shownSecrets.set(id, bytes);
    const env = mount.env === undefined ? [] : [`${mount.env}=${Buffer.from(bytes ?? '').toString('utf8')}`];
    if (target === undefined || bytes === undefined) return { mounts: [], env };
    return { mounts: [{ kind: 'secret', target, bytes, mode, uid, gid }], env };
  }

  /** Remembers what the step that has run was shown, so that a later build can say that it has changed. */
  rememberSecrets(step: StepKey): void {
    const { store, session } = this.#scope;
    for (const [id, value] of this.#shownSecrets) store.secretMarks.remember(session, step, id, value);
  }

  /** The secrets that are given and have another value than when the step ran. */
  async changedSecrets(step: StepKey): Promise<readonly Mount<'secret'>[]> {
    const { store } = this.#scope;
    const changed: Mount<'secret'>[] = [];
    for (const mount of this.#secrets()) {
      const value = await this.#valueIfReadable(mount.id);
      if (value !== undefined && store.secretMarks.hasChanged(step, mount.id, value) === true)
        changed.push(mount);
    }
    return changed;
  }

  /** A step that does not run needs no secrets: one that cannot be read is no failure. */
  async #valueIfReadable(id: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#scope.secret(id);
    } catch (error) {
      if (failuresOf(error) === undefined) throw error;
      return undefined;
    }
  }

  /** Each secret once, however often it is mounted. */
  #secrets(): Iterable<Mount<'secret'>> {
    const secrets = this.#mounts.filter((mount) => mount.kind === 'secret');
    return new Map(secrets.toReversed().map((mount) => [mount.id, mount])).values();
  }

  async #openAgent({
    id,
    target,
    mode,
    uid,
    gid,
    isRequired,
    isDefault,
    place,
  }: Mount<'ssh'>): Promise<Opened> {
    const agent = await this.#scope.agents.open(id);
    if (agent === undefined && isRequired) {
      throw buildError(
        'missing-secret',
        `the ssh agent ${JSON.stringify(id)} is required and was not given`,
        { place, hint: optionWords().agent(id) },
      );
    }
    const env = isDefault ? [`SSH_AUTH_SOCK=${target}`] : [];
    if (agent === undefined) return { mounts: [], env };
    return { mounts: [{ kind: 'agent', target, socket: agent, mode, uid, gid }], env };
  }
}

type Opened = Pick<OpenMounts, 'mounts' | 'env'>;

function shown(mount: SandboxMount): Opened {
  return { mounts: [mount], env: [] };
}

function there(state: FileState | undefined): FileState {
  if (state === undefined) throw new Error('Internal error: a mount without its files');
  return state;
}
