import { mkdirSync } from 'node:fs';
import { chooseRuntimes, SandboxHost, type RuntimeChoice } from '@caisson/runtime';
import { openStore, type Session, type Store } from '@caisson/store';
import { KeptContexts } from './context/kept-contexts.ts';
import { StoredTocs } from './snapshot/stored-tocs.ts';
import { SpareTars } from './watch/spare-tars.ts';
import { Superseded } from './watch/superseded.ts';

/** Of tables of contents: they take 50 MB or so. */
const KEPT_ENTRIES = 100_000;
/** It takes 60 ms to start. */
const BUILDS_OF_A_HOST = 100;

/** What builds that follow one another share: one at a time. Disposing of it ends what it started. */
export class Site implements AsyncDisposable {
  readonly store: Store;
  /** Contexts, as far as they were looked at. */
  readonly contexts = new KeptContexts();
  /** What they made that none of them needs any more. */
  readonly superseded: Superseded;
  readonly spares: SpareTars;
  readonly tocs: StoredTocs;
  readonly #session: Session;
  readonly #choice: RuntimeChoice;
  readonly #stack: AsyncDisposableStack;
  #host: Promise<SandboxHost> | undefined;
  /** Of each host in turn. */
  #hostFolder: string | undefined;
  /** How many builds the host has seen. */
  #builds = 0;

  private constructor(store: Store, session: Session, choice: RuntimeChoice, stack: AsyncDisposableStack) {
    this.store = store;
    this.#choice = choice;
    this.#session = session;
    this.spares = stack.use(new SpareTars(session));
    this.superseded = new Superseded(this.spares);
    this.tocs = new StoredTocs(store, KEPT_ENTRIES);
    this.#stack = stack;
  }

  /**
   * @param choice what may run the steps of its builds
   * @param signal ends what waits for others that use the store
   * @throws StoreError
   */
  static async open(root: string, choice: RuntimeChoice, signal: AbortSignal): Promise<Site> {
    await using stack = new AsyncDisposableStack();
    const store = stack.use(await openStore(root, { signal }));
    // It holds nothing that prune would want: each build has a session of its own.
    const session = stack.use(store.session());
    return new Site(store, session, choice, stack.move());
  }

  /** The sandbox host: started when it is first asked for, and when the one before has died. */
  readonly host = async (): Promise<SandboxHost> => {
    const known = this.#host;
    if (known !== undefined && (await isAlive(known))) return known;
    // Of several that found it dead the first starts another one.
    if (this.#host === known) this.#host = this.#startHost();
    return this.#host ?? this.#startHost();
  };

  #startHost(): Promise<SandboxHost> {
    this.#hostFolder ??= newHostFolder(this.#session);
    return startIn(this.#hostFolder, this.#choice);
  }

  /** A build begins. A host keeps each layer mounted that it has mounted: now and then another one takes its place. */
  async begin(): Promise<void> {
    this.superseded.begin();
    this.#builds++;
    const old = this.#host;
    if (old === undefined || this.#builds <= BUILDS_OF_A_HOST) return;
    this.#host = undefined;
    this.#builds = 0;
    await endHost(old);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#host !== undefined) await endHost(this.#host);
    await this.#stack.disposeAsync();
  }
}

/** Starts a sandbox host in a folder of a session. */
export function startHost(session: Session, choice: RuntimeChoice): Promise<SandboxHost> {
  return startIn(newHostFolder(session), choice);
}

async function startIn(folder: string, choice: RuntimeChoice): Promise<SandboxHost> {
  return SandboxHost.start({ folder, runtimes: chooseRuntimes(choice), commits: true });
}

function newHostFolder(session: Session): string {
  const folder = session.newPath('host');
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

/** Ends one, if it could be started. */
export async function endHost(host: Promise<SandboxHost>): Promise<void> {
  const [started] = await Promise.allSettled([host]);
  if (started.status === 'fulfilled') await started.value[Symbol.asyncDispose]();
}

async function isAlive(host: Promise<SandboxHost>): Promise<boolean> {
  const [started] = await Promise.allSettled([host]);
  return started.status === 'fulfilled' && started.value.isAlive;
}
