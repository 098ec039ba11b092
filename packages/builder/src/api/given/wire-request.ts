import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDigest, parseSourceDateEpoch } from '@caisson/oci';
import { storeRoot, type CacheSize } from '@caisson/store';
import type { CacheExportRequest, CacheLocation } from '../../request.ts';
import type {
  BuildOptions,
  CacheSource,
  CacheTarget,
  CommonOptions,
  Context,
  ContextEntry,
  Destination,
  Output,
  PlanOptions,
  RegistryAccessOptions,
  SourceOptions,
} from '../build-options.ts';
import { optionError } from '../error.ts';
import type { WatchOptions } from '../watch.ts';
import type { WireBuild, WireCheck, WireOutput, WireRegistry, WireWatch } from '../thread/protocol.ts';
import { Answers, NOTHING } from './answers.ts';
import { partsOfStream, partsOfTree, type GivenParts } from './context-parts.ts';
import { defined } from './defined.ts';
import { Destinations } from './destinations.ts';
import { platformName } from './platform.ts';
import { givenSecrets } from './secrets.ts';

/** A job for the thread, and what it may ask for. */
export interface Given<Request> {
  readonly request: Request;
  readonly answers: Answers;
}

/** Where the store lies, and from where paths are seen. @throws CaissonError `invalid-request` */
export function placesOf({ root, cwd }: Pick<CommonOptions, 'root' | 'cwd'>): { root: string; cwd: string } {
  const here = cwd === undefined ? currentFolder() : resolve(cwd);
  return { root: storeRoot({ env: process.env, cwd: here }, root), cwd: here };
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw optionError('the current folder is not there any more', { hint: 'give the option cwd' });
  }
}

/** How registries are reached, as it travels. */
export function wireRegistry({ credentials, mirrors }: RegistryAccessOptions = {}): WireRegistry {
  return {
    asksForCredentials: credentials !== undefined,
    ...(mirrors === undefined ? {} : { mirrors: new Map(Object.entries(mirrors)) }),
  };
}

/** What is to be checked. @throws CaissonError `invalid-request` */
export function checkRequest(options: SourceOptions): Given<WireCheck> {
  const { context, parts } = contextOf(options.context);
  const credentials = options.registry?.credentials;
  return {
    request: { context, ...sourceOf(options) },
    answers: new Answers({ ...NOTHING, credentials, context: parts }),
  };
}

function sourceOf(options: SourceOptions): Omit<WireCheck, 'context'> {
  const { dockerfile, dockerfileText, target, platform, buildArgs, buildContexts, pull, registry } = options;
  return {
    ...placesOf(options),
    registry: wireRegistry(registry),
    ...defined({
      dockerfile,
      dockerfileText,
      target,
      platforms: platform === undefined ? undefined : [platformName(platform)],
    }),
    ...defined({ buildArgs, buildContexts, pull }),
    ...defined({ sourceDateEpoch: options.sourceDateEpoch ?? epochOf(process.env['SOURCE_DATE_EPOCH']) }),
  };
}

/** @throws CaissonError for a variable that makes no sense */
function epochOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const parsed = parseSourceDateEpoch(text);
  if (parsed.ok) return parsed.value;
  const { message, expected } = parsed.error;
  throw optionError(message, { expected });
}

/** What is to be built, but for where it goes. @throws CaissonError `invalid-request` */
export function planRequest(
  options: PlanOptions,
  destinations: Destinations = new Destinations(),
): Given<WireBuild> {
  const { context, parts } = contextOf(options.context);
  const source = sourceOf(options);
  const { cwd = '/' } = source;
  const { secrets, functions } = givenSecrets(options.secrets ?? {}, cwd);
  const {
    noCache,
    noCacheFilter,
    contextModes,
    forms,
    network,
    allow,
    jobs,
    runtimes,
    minIsolation,
    limits = {},
  } = options;
  const hosts = Object.entries(options.hosts ?? {}).map(([name, address]) => ({ name, address }));
  const request: WireBuild = {
    ...source,
    context,
    secrets,
    ssh: sshOf(options.ssh ?? {}, cwd),
    hosts,
    limits: defined(limits),
    cacheFrom: (options.cacheFrom ?? []).map((each, index) => cacheSource(each, index, cwd)),
    ...defined({ platforms: platformsGiven(options) ?? source.platforms }),
    ...defined({ noCache, noCacheFilter, contextModes, forms, network, allow, jobs, runtimes, minIsolation }),
  };
  const credentials = options.registry?.credentials;
  const given = { secrets: functions, credentials, context: parts, destinations };
  return { request, answers: new Answers(given) };
}

function platformsGiven({ platform, platforms }: PlanOptions): readonly string[] | undefined {
  if (platform !== undefined && platforms !== undefined)
    throw optionError('options.platform and options.platforms are both given', { expected: 'one of them' });
  return platforms?.map((each, index) => platformName(each, `options.platforms[${index}]`));
}

/** What is to be built. @throws CaissonError `invalid-request` */
export function buildRequest(options: BuildOptions): Given<WireBuild> {
  const streams = new Map<string, Destination>();
  const { request, answers } = planRequest(options, new Destinations(streams));
  const { cwd = '/' } = request;
  const {
    tags = [],
    labels,
    push,
    pushCompression,
    outputs = [],
    cacheTo = [],
    cacheMaxSize,
    load,
  } = options;
  return {
    answers,
    request: {
      ...request,
      names: typeof tags === 'string' ? [tags] : tags,
      outputs: outputs.map((each, index) => outputOf(each, `options.outputs[${index}]`, cwd, streams)),
      cacheTo: cacheTo.map((each) => cacheTarget(each, cwd)),
      ...defined({ labels, push, pushCompression, isLoaded: load, cacheMaxSize: cacheSize(cacheMaxSize) }),
    },
  };
}

/** What is to be watched. @throws CaissonError `invalid-request` */
export function watchRequest({ poll, ...options }: WatchOptions): Given<WireWatch> {
  const { request, answers } = buildRequest(options);
  const { context } = request;
  for (const [index, { dest }] of (options.outputs ?? []).entries()) {
    if (typeof dest === 'string' || typeof dest === 'function') continue;
    throw optionError(`options.outputs[${index}].dest is a stream, which can be written once`, {
      expected: 'a path, or a function of a Readable, which is called for each image',
    });
  }
  if (context === undefined) {
    throw optionError('options.context lies in no folder: nothing of it can change', {
      expected: 'the path of a folder',
    });
  }
  return { answers, request: { ...request, context, ...defined({ poll }) } };
}

function cacheSize(size: BuildOptions['cacheMaxSize']): CacheSize | undefined {
  if (size === undefined) return undefined;
  return typeof size === 'number' ? { bytes: size } : { percent: Number.parseFloat(size) };
}

function sshOf(
  ssh: NonNullable<PlanOptions['ssh']>,
  cwd: string,
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(ssh).map(([id, given]) => [
      id,
      (typeof given === 'string' ? [given] : given).map((path) => resolve(cwd, path)),
    ]),
  );
}

/** @param streams gets what no path is, by the path of its option */
function outputOf(
  output: Output,
  option: string,
  cwd: string,
  streams: Map<string, Destination>,
): WireOutput {
  if (output.type === 'local') return { type: 'local', destination: outputPath(output.dest, option, cwd) };
  const { dest, ...what } = output;
  if (typeof dest !== 'string') {
    streams.set(option, dest);
    return { ...what, destination: { option } };
  }
  const isFolder = dest.endsWith('/') && what.type === 'oci';
  return { ...what, destination: `${outputPath(dest, option, cwd)}${isFolder ? '/' : ''}` };
}

function outputPath(dest: string, option: string, cwd: string): string {
  if (dest !== '-') return resolve(cwd, dest);
  throw optionError(`${option}.dest is "-": the standard output is that of the program`, {
    expected: 'a path; of an archive, process.stdout, too',
  });
}

function cacheSource(source: CacheSource, index: number, cwd: string): CacheLocation {
  if (source.type === 'registry') return { type: 'registry', reference: source.ref };
  const { src, tag, digest } = source;
  const parsed = digest === undefined ? undefined : parseDigest(digest);
  if (parsed?.ok === false) {
    throw optionError(`options.cacheFrom[${index}].digest is ${JSON.stringify(digest)}`, {
      expected: 'sha256: and 64 hex digits',
    });
  }
  return { type: 'local', folder: resolve(cwd, src), ...defined({ tag, digest: parsed?.value }) };
}

function cacheTarget({ mode, compression, ...target }: CacheTarget, cwd: string): CacheExportRequest {
  const how = defined({ mode, compression });
  if (target.type === 'registry') return { type: 'registry', reference: target.ref, ...how };
  return { type: 'local', folder: resolve(cwd, target.dest), ...defined({ tag: target.tag }), ...how };
}

/** A context that has a path, or the parts of one that has none. */
function contextOf(context: Context): { context: string | undefined; parts: GivenParts | undefined } {
  if (typeof context === 'string') return { context, parts: undefined };
  if (context instanceof URL) {
    return {
      context: context.protocol === 'file:' ? fileURLToPath(context) : context.href,
      parts: undefined,
    };
  }
  const parts = isIterable(context) ? partsOfStream(context) : partsOfTree(context);
  return { context: undefined, parts };
}

function isIterable(
  context: Exclude<Context, string | URL>,
): context is AsyncIterable<Uint8Array | ContextEntry> {
  return Symbol.asyncIterator in context;
}
