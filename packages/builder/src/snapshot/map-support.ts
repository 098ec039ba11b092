import { mkdirSync } from 'node:fs';
import { inUserNamespace } from '@caisson/sys';
import { RuntimeError, type SandboxHost } from '@caisson/runtime';
import type { BaseKind, Session, Store } from '@caisson/store';
import { buildError } from '../failure.ts';
import { isPlain, type StateLayer } from '../state.ts';

/** What layers are mounted from: `auto` takes maps where they can be mounted and the tar lies there as it is. */
export type FormChoice = 'auto' | 'trees' | 'maps';

/** Whether layers can be mounted through maps here. The kernel and the file system decide; they are asked once a boot. */
export class MapSupport {
  readonly #store: Store;
  readonly #session: Session;
  readonly #choice: FormChoice;
  readonly #host: () => Promise<SandboxHost>;
  readonly #signal: AbortSignal | undefined;
  #usable: Promise<boolean> | undefined;

  /** @param host the sandbox host, in which a mount is tried */
  constructor(
    store: Store,
    session: Session,
    choice: FormChoice | undefined,
    host: () => Promise<SandboxHost>,
    signal?: AbortSignal,
  ) {
    this.#store = store;
    this.#session = session;
    this.#choice = choice ?? 'auto';
    this.#host = host;
    this.#signal = signal;
  }

  /** Whether what there is of a layer is used: where maps are asked for, no tree that shows all of one is. */
  async takes(kind: BaseKind): Promise<boolean> {
    return kind === 'map' ? this.isUsable() : this.#choice !== 'maps';
  }

  /**
   * Whether a layer is mounted through a map, where nothing of it is there yet. For one that is compressed its tar would
   * have to be written first, which takes as long as to unpack it, and what is unpacked is read with less.
   */
  async isFor(layer: StateLayer): Promise<boolean> {
    return (this.#choice === 'maps' || isPlain(layer)) && (await this.isUsable());
  }

  /** @throws BuildError where maps are asked for and cannot be mounted */
  isUsable(): Promise<boolean> {
    this.#usable ??= this.#decide();
    return this.#usable;
  }

  async #decide(): Promise<boolean> {
    if (this.#choice === 'trees') return false;
    const why = await this.#whyNot();
    if (why === undefined) return true;
    if (this.#choice === 'auto') return false;
    throw buildError('step-not-run', `layers cannot be mounted through maps here: ${why}`, {
      hint: 'CAISSON_FORMS=trees unpacks them instead',
    });
  }

  async #whyNot(): Promise<string | undefined> {
    if (inUserNamespace()) return 'only root of the machine can mount EROFS';
    const known = this.#store.lookUps.answer(QUESTION);
    if (known !== undefined) return known === '' ? undefined : known;
    const folder = this.#session.newPath('probe');
    mkdirSync(folder, { mode: 0o700 });
    let why: string | undefined;
    try {
      why = await (await this.#host()).probeMaps(folder, this.#signal);
    } catch (error) {
      if (error instanceof RuntimeError) return error.message;
      throw error;
    }
    this.#store.lookUps.rememberAnswer(QUESTION, why ?? '');
    return why;
  }
}

const QUESTION = 'why layer maps cannot be mounted';
