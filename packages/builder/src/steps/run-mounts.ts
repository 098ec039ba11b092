import type { Json } from '@caisson/oci';
import type { SandboxMount } from '@caisson/runtime';
import { buildError } from '../failure.ts';
import type { PlannedMount } from '../plan/planned.ts';
import { contentOf, type FileState } from '../state.ts';
import { originTitle } from './origin-title.ts';
import { selectionOfState } from './selection-of-state.ts';
import type { StepScope } from './step-scope.ts';

/** What a RUN is shown while it runs, and variables that come with it. Disposing of it gives caches back. */
export interface OpenMounts extends Disposable {
  readonly mounts: readonly SandboxMount[];
  readonly env: readonly string[];
}

/** Where a part of the context lies in the layer that was made of it to be shown. */
export const CONTEXT_MOUNT = '/mount';

type BindMount = Extract<PlannedMount, { kind: 'bind' }>;
type SecretMount = Extract<PlannedMount, { kind: 'secret' }>;

/** The mounts of a RUN: what they count as in its key, and what they become in its sandbox. */
export class RunMounts {
  readonly #scope: StepScope;
  readonly #mounts: readonly PlannedMount[];

  /** The binds among `mounts` have their states among the inputs of the step, in order, behind the state before it. */
  constructor(scope: StepScope, mounts: readonly PlannedMount[]) {
    this.#scope = scope;
    this.#mounts = mounts;
  }

  /** A mount counts by what it is; a bind by what is in it. What is in a cache or a secret counts for nothing. */
  async keyParts(inputs: readonly FileState[], signal: AbortSignal): Promise<Json[]> {
    const parts: Json[] = [];
    let next = 1;
    for (const mount of this.#mounts) {
      switch (mount.kind) {
        case 'bind':
          parts.push({
            kind: mount.kind,
            target: mount.target,
            isReadOnly: mount.isReadOnly,
            content: await this.#contentOf(mount, inputAt(inputs, next), signal),
          });
          next++;
          break;
        case 'secret': {
          const { place: _where, target = null, env = null, isRequired: _asked, ...rest } = mount;
          parts.push({ ...rest, target, env });
          break;
        }
        case 'tmpfs':
          parts.push({ kind: mount.kind, target: mount.target, size: mount.size ?? null });
          break;
        case 'cache':
          parts.push({ ...mount });
          break;
      }
    }
    return parts;
  }

  async #contentOf(mount: BindMount, state: FileState, signal: AbortSignal): Promise<Json> {
    // What was copied from the context for it holds nothing else.
    if (mount.from.kind === 'context') return [...contentOf(state)];
    return selectionOfState(this.#scope, originTitle(mount.from), state, { sources: [mount.source] }, signal);
  }

  /** Makes what has to be there before the command runs. @throws BuildError `missing-secret` */
  async open(inputs: readonly FileState[]): Promise<OpenMounts> {
    using stack = new DisposableStack();
    const mounts: SandboxMount[] = [];
    const env: string[] = [];
    let next = 1;
    for (const mount of this.#mounts) {
      const { target } = mount;
      switch (mount.kind) {
        case 'bind': {
          const lowers = await this.#scope.chains.trees(inputAt(inputs, next));
          const path = mount.from.kind === 'context' ? CONTEXT_MOUNT : mount.source.text;
          mounts.push({ kind: 'layers', lowers, path, target: mount.target, isReadOnly: mount.isReadOnly });
          next++;
          break;
        }
        case 'tmpfs':
          mounts.push({ kind: 'tmpfs', target: mount.target, size: mount.size });
          break;
        case 'cache': {
          const { id, mode, uid, gid, sharing, isReadOnly } = mount;
          const { cacheMounts, lookUps } = this.#scope.store;
          const name = { id, mode, uid, gid };
          if (this.#scope.noCache) await cacheMounts.discard(this.#scope.session, name);
          const cache = stack.use(await cacheMounts.open(name, sharing));
          lookUps.used([cache.useName]);
          mounts.push({ kind: 'folder', source: cache.path, target: mount.target, isReadOnly });
          break;
        }
        case 'secret': {
          const bytes = await this.#secret(mount);
          if (mount.env !== undefined) env.push(`${mount.env}=${Buffer.from(bytes ?? '').toString('utf8')}`);
          if (target === undefined || bytes === undefined) break;
          const { mode, uid, gid } = mount;
          mounts.push({ kind: 'secret', target, bytes, mode, uid, gid });
          break;
        }
      }
    }
    const open = stack.move();
    return { mounts, env, [Symbol.dispose]: () => open.dispose() };
  }

  async #secret({ id, isRequired, place }: SecretMount): Promise<Uint8Array | undefined> {
    const bytes = await this.#scope.secret(id);
    if (bytes !== undefined || !isRequired) return bytes;
    throw buildError('missing-secret', `the secret ${JSON.stringify(id)} is required and was not given`, {
      place,
      hint: `--secret id=${id},src=FILE or --secret id=${id},env=NAME`,
    });
  }
}

function inputAt(inputs: readonly FileState[], index: number): FileState {
  const state = inputs[index];
  if (state === undefined) throw new Error('Internal error: a mount without its files');
  return state;
}
