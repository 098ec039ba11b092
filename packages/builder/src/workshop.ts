import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { availableRuntimes, SandboxHost } from '@caisson/runtime';
import { openStore, type Session } from '@caisson/store';
import { BaseImages } from './bases/base-images.ts';
import { RegistryAccess } from './bases/registry-access.ts';
import { RemoteBases } from './bases/remote-bases.ts';
import type { BuildClock } from './build-clock.ts';
import type { IgnoreRules } from './context/ignore-rules.ts';
import { LocalContext } from './context/local-context.ts';
import { RemoteFiles } from './copy/remote-files.ts';
import type { Emit } from './events.ts';
import type { BuildRequest } from './request.ts';
import { Chains, type LayerProvider } from './snapshot/chains.ts';
import { SshAgents } from './ssh-agents.ts';
import { secretReader } from './secrets.ts';
import { BuildCaches } from './steps/build-caches.ts';
import type { StepScope } from './steps/step-scope.ts';

/** What a build works with. Disposing of it ends all that it started, and gives back what it held. */
export interface Workshop extends AsyncDisposable {
  readonly scope: StepScope;
  readonly bases: BaseImages;
  /** Brings the layers of base images into the store. */
  readonly layers: LayerProvider;
  readonly jobs: number;
  readonly cancel: { readonly signal?: AbortSignal };
}

/** Steps wait more than they compute. */
const JOBS = Math.max(8, 4 * availableParallelism());

/** Opens the store and gathers what a build works with. */
export async function openWorkshop(
  request: BuildRequest,
  details: {
    readonly ignore: IgnoreRules;
    readonly dockerfile: string;
    readonly clock: BuildClock;
    readonly emit: Emit;
  },
): Promise<Workshop> {
  const { ignore, dockerfile, clock, emit } = details;
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openStore(request.root));
  const session = stack.use(store.session());
  const registry = stack.use(
    new RegistryAccess({
      ...request.registry,
      onWarning: (message) => emit({ kind: 'warning', message }),
    }),
  );
  const pull = request.pull ?? 'default';
  const { signal } = request;
  const remote = new RemoteBases({ store, session, pull, registry, emit, signal });
  const layers: LayerProvider = (layer) => remote.provide(layer);
  const chains = new Chains(store, session, layers);
  const noCache = request.noCache ?? false;
  const scope: StepScope = {
    store,
    session,
    chains,
    clock,
    noCache,
    caches: new BuildCaches(store, session, chains, { noCache }),
    dockerfile,
    runtimes: request.runtimes ?? availableRuntimes(),
    context: new LocalContext(resolve(request.context), ignore, store.lookUps),
    ignore,
    host: hostStarter(session, (host) => stackOfAll.defer(async () => (await host)[Symbol.asyncDispose]())),
    remote: stack.use(new RemoteFiles(store, session, request.registry ?? {})),
    secret: secretReader(request.secrets ?? {}),
    hosts: request.hosts ?? [],
    limits: request.limits ?? {},
    agents: stack.use(new SshAgents(request.ssh ?? {})),
    emit,
  };
  const bases = new BaseImages({ store, session, remote, pull, emit });
  const stackOfAll = stack.move();
  return {
    scope,
    bases,
    layers,
    jobs: request.jobs ?? JOBS,
    cancel: request.signal === undefined ? {} : { signal: request.signal },
    [Symbol.asyncDispose]: () => stackOfAll.disposeAsync(),
  };
}

/** Starts the sandbox host when it is first asked for. */
function hostStarter(
  session: Session,
  onStart: (host: Promise<SandboxHost>) => void,
): () => Promise<SandboxHost> {
  let host: Promise<SandboxHost> | undefined;
  return () => {
    if (host !== undefined) return host;
    const folder = session.newPath('host');
    mkdirSync(folder, { mode: 0o700 });
    host = SandboxHost.start(folder);
    onStart(host);
    return host;
  };
}
