import { availableParallelism } from 'node:os';
import { openStore, type Store } from '@caisson/store';
import type { BaseImages } from './bases/base-images.ts';
import { openLayerSources, type LayerSources } from './bases/layer-sources.ts';
import { RegistryAccess } from './bases/registry-access.ts';
import type { BuildClock } from './build-clock.ts';
import { contextTitle } from './report/context-title.ts';
import { BuildHost } from './build-host.ts';
import { openAnew, type LocalContextOptions } from './context/kept-contexts.ts';
import { NamedContexts, type NamedContextTools } from './context/named-contexts.ts';
import { RemoteFiles, type Download } from './copy/remote-files.ts';
import type { PushOptions } from '@caisson/registry';
import type { Emit } from './events.ts';
import type { GitProgress } from './git/git-progress.ts';
import { GitRepositories } from './git/git-repositories.ts';
import type { BuildRequest } from './request.ts';
import { Chains, type ChainsParts, type LayerProvider } from './snapshot/chains.ts';
import { MapSupport } from './snapshot/map-support.ts';
import { StoredTocs } from './snapshot/stored-tocs.ts';
import { SshAgents } from './ssh-agents.ts';
import { secretReader } from './secrets.ts';
import { ignoresCache } from './steps/no-cache.ts';
import { BuildCaches } from './steps/build-caches.ts';
import { checkGivenFiles } from './source/given-files.ts';
import type { Site } from './site.ts';
import { openSource, type BuildSource } from './source/open-source.ts';
import type { StepScope } from './steps/step-scope.ts';

/** What a build works with. Disposing of it ends all that it started, and gives back what it held. */
export interface Workshop extends AsyncDisposable {
  readonly scope: StepScope;
  /** What is built. */
  readonly source: BuildSource;
  readonly contexts: NamedContexts;
  readonly bases: BaseImages;
  /** Brings the layers of base images into the store. */
  readonly layers: LayerProvider;
  readonly registry: RegistryAccess;
  /** Where a layer lies that is not in the store. */
  readonly elsewhere: NonNullable<PushOptions['elsewhere']>;
  readonly jobs: number;
  readonly cancel: { readonly signal?: AbortSignal };
  /** Says that no step will run any more, as far as is known. */
  readonly endSandboxes: () => void;
}

/** Steps wait more than they compute. */
const JOBS = Math.max(8, 4 * availableParallelism());

/** What a workshop is opened with, besides what was asked for. */
export interface WorkshopOptions {
  readonly clock: BuildClock;
  readonly emit: Emit;
  /** What the build has of those before it. */
  readonly site?: Site | undefined;
}

/**
 * Opens the store and the context, reads the Dockerfile, and gathers what a build works with.
 * @throws BuildError, StoreError, RegistryError
 */
export async function openWorkshop(request: BuildRequest, options: WorkshopOptions): Promise<Workshop> {
  const { clock, emit, site } = options;
  checkGivenFiles(request);
  await using stack = new AsyncDisposableStack();
  const { signal, contextModes: modes = 'exact' } = request;
  const store = site?.store ?? stack.use(await openStore(request.root, { signal }));
  const session = stack.use(store.session());
  const registry = stack.use(registryAccess(request, emit));
  const secret = secretReader(request.secrets ?? {});
  const agents = stack.use(new SshAgents(request.ssh ?? {}, session));
  const { files, git } = openFetchers(stack, request, { store, session, secret, agents, emit });
  const local = { memory: store.lookUps, modes, openLocal: site?.contexts.open ?? openAnew };
  const tools = { session, remote: files, git, signal: signal ?? NEVER, ...farTellers(emit), ...local };
  const ending = new AbortController();
  const ends = AbortSignal.any([tools.signal, ending.signal]);
  const sources = stack.use(openLayerSources(request, registry, { ...tools, store, emit, signal: ends }));
  const { bases, layers, elsewhere, imported, exports } = sources;
  const contexts = namedContexts(request, sources, tools);
  const source = await openSource(request, tools);
  const own = stack.use(new BuildHost(session, request));
  const shared = partsOf(site, store, own);
  const chains = chainsOf(request, { ...shared, store, session, provide: layers, signal: ends });
  stack.defer(() => endChains(ending, chains));
  const scope: StepScope = {
    store,
    session,
    chains,
    clock,
    since: Date.now(),
    ignoresCache: ignoresCache(request),
    caches: new BuildCaches(store, session, chains),
    dockerfile: source.path,
    context: contextTitle(request),
    ...shared,
    remote: files,
    git,
    secret,
    hosts: request.hosts ?? [],
    limits: request.limits ?? {},
    agents,
    imported,
    exports,
    turns: stack.use(request.inFlight?.turns(store.root, tools.signal)),
    emit,
    ends,
  };
  return {
    scope,
    source,
    contexts,
    bases,
    layers,
    registry,
    elsewhere,
    jobs: request.jobs ?? JOBS,
    cancel: signal === undefined ? {} : { signal },
    ...endingWith(stack.move(), own),
  };
}

function namedContexts(
  { buildContexts = {}, cwd = process.cwd() }: BuildRequest,
  { layouts, bases }: LayerSources,
  tools: Omit<NamedContextTools, 'layouts' | 'resolveImage'>,
): NamedContexts {
  const resolveImage: NamedContextTools['resolveImage'] = (name, platform, place) =>
    bases.resolve(name, platform, place);
  return new NamedContexts(buildContexts, cwd, { ...tools, layouts, resolveImage });
}

function endingWith(
  open: AsyncDisposableStack,
  host: BuildHost,
): Pick<Workshop, 'endSandboxes' | typeof Symbol.asyncDispose> {
  return { endSandboxes: host.end, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const noteNothing = (): void => {};

/** What a build has of those before it, or for itself. */
function partsOf(
  site: Site | undefined,
  store: Store,
  own: BuildHost,
): Pick<StepScope, 'host' | 'tocs' | 'spares' | 'onResult'> {
  if (site !== undefined) {
    const { host, tocs, spares, superseded } = site;
    return { host, tocs, spares, onResult: superseded.note };
  }
  return { host: own.start, tocs: new StoredTocs(store), spares: undefined, onResult: noteNothing };
}

function registryAccess({ registry }: BuildRequest, emit: Emit): RegistryAccess {
  return new RegistryAccess({ ...registry, onWarning: (message) => emit({ kind: 'warning', message }) });
}

/** What brings files from elsewhere, and tells how far it is. */
function openFetchers(
  stack: AsyncDisposableStack,
  { registry = {} }: BuildRequest,
  {
    store,
    session,
    secret,
    agents,
    emit,
  }: Pick<StepScope, 'store' | 'session' | 'secret' | 'agents' | 'emit'>,
): { readonly files: RemoteFiles; readonly git: GitRepositories } {
  const onFile = (far: Download): void => emit({ kind: 'download', ...far });
  const onGit = (far: GitProgress): void => emit({ kind: 'git', ...far });
  return {
    files: stack.use(new RemoteFiles(store, session, registry, secret, onFile)),
    git: stack.use(new GitRepositories(store, session, secret, agents, onGit)),
  };
}

function farTellers(emit: Emit): Pick<LocalContextOptions, 'onRead' | 'onWalk'> {
  return {
    onRead: (context, soFar) => emit({ kind: 'read', context, ...soFar }),
    onWalk: (context, soFar) => emit({ kind: 'walk', context, ...soFar }),
  };
}

/** What is derived from layers, and mounted where the kernel allows it as the tars that they are. */
function chainsOf(
  { forms }: BuildRequest,
  {
    store,
    session,
    provide,
    signal,
    tocs: stored,
    host,
  }: Pick<ChainsParts, 'store' | 'session' | 'provide' | 'signal'> & Pick<StepScope, 'tocs' | 'host'>,
): Chains {
  const support = new MapSupport(store, session, forms, host, signal);
  return new Chains({ store, session, provide, support, stored, signal });
}

/** Ends what is fetched and unpacked: nobody waits for it any more. */
async function endChains(ending: AbortController, chains: Chains): Promise<void> {
  ending.abort();
  await chains.settled();
}

/** For a build that nobody can end. */
const NEVER = new AbortController().signal;
