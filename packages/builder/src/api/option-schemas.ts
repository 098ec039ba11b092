import { isUlimit, RESOURCES } from '@caisson/runtime';
import * as z from 'zod/mini';
import type {
  BuildOptions,
  Context,
  ContextFile,
  Destination,
  RegistryAccessOptions,
  Secret,
} from './build-options.ts';
import type { ProgramInput } from './run-options.ts';
import { anyOf, flag, kind, list, name, number, object, oneOf, record, text } from './option-kinds.ts';

const path = name('a path');
const count = number('a whole number from 1', { least: 1, isWhole: true });
const bytes = number('a number of bytes', { least: 1, isWhole: true });

const common = {
  root: z.optional(path),
  cwd: z.optional(path),
  signal: z.optional(anyOf<AbortSignal>('an AbortSignal', (value) => value instanceof AbortSignal)),
};

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What a platform should be, for messages. */
export const PLATFORM = 'os/architecture[/variant], for example linux/arm64';

const CONTEXT =
  'a path, a URL, an object of files, a stream of the bytes of a tar, or an async iterable of entries';

function isContext(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  return isObject(value) && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function isSecret(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'function' || value instanceof Uint8Array) return true;
  return isObject(value) && 'path' in value && typeof value.path === 'string' && value.path !== '';
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

const registry = object({
  credentials: z.optional(
    anyOf<NonNullable<RegistryAccessOptions['credentials']>>(
      'a function of the host of a registry',
      isFunction,
    ),
  ),
  mirrors: z.optional(record(list(name('a URL')))),
});

const source = {
  ...common,
  context: anyOf<Context>(CONTEXT, isContext),
  dockerfile: z.optional(path),
  dockerfileText: z.optional(text()),
  target: z.optional(name('the name or number of a stage')),
  platform: z.optional(name(PLATFORM)),
  buildArgs: z.optional(record(text())),
  buildContexts: z.optional(record(name('a folder, docker-image://NAME, oci-layout://FOLDER or a URL'))),
  pull: z.optional(oneOf('always', 'missing', 'never')),
  sourceDateEpoch: z.optional(number('whole seconds since 1970', { least: 0, isWhole: true })),
  registry: z.optional(registry),
};

const cacheFolder = { tag: z.optional(name('a tag')) };
const cacheFrom = z.discriminatedUnion(
  'type',
  [
    object({ type: z.literal('registry'), ref: name('registry/repository:tag') }),
    object({
      type: z.literal('local'),
      src: path,
      ...cacheFolder,
      digest: z.optional(name('sha256: and 64 hex digits')),
    }),
  ],
  { error: '"registry", "local"' },
);

const how = {
  mode: z.optional(oneOf('min', 'max')),
  compression: z.optional(oneOf('none', 'gzip', 'zstd')),
};
const cacheTo = z.discriminatedUnion(
  'type',
  [
    object({ type: z.literal('registry'), ref: name('registry/repository:tag'), ...how }),
    object({ type: z.literal('local'), dest: path, ...cacheFolder, ...how }),
  ],
  { error: '"registry", "local"' },
);

const SECRET = 'a text, bytes, a function that gives one, or { path }';

const ULIMIT = `{ resource, soft, hard }: one of ${Object.keys(RESOURCES).join(', ')}; two whole numbers, the soft one not above the hard one, -1 for no limit`;

const plan = {
  ...source,
  platforms: z.optional(list(name(PLATFORM))),
  secrets: z.optional(record(anyOf<Secret>(SECRET, isSecret))),
  ssh: z.optional(
    record(
      anyOf<string | readonly string[]>(
        'the path of a socket, or paths of private keys',
        (value) =>
          typeof value === 'string' ||
          (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string')),
      ),
    ),
  ),
  noCache: z.optional(flag),
  noCacheFilter: z.optional(list(name('the name of a stage'))),
  cacheFrom: z.optional(list(cacheFrom)),
  contextModes: z.optional(oneOf('exact', 'normal')),
  forms: z.optional(oneOf('auto', 'trees', 'maps')),
  network: z.optional(oneOf('host', 'none')),
  allow: z.optional(list(oneOf('network.host'))),
  hosts: z.optional(record(name('an address'))),
  limits: z.optional(
    object({
      memory: z.optional(bytes),
      cpus: z.optional(number('a number of processors', { least: 0.01, isWhole: false })),
      shmSize: z.optional(bytes),
      ulimits: z.optional(list(kind(ULIMIT, isUlimit))),
    }),
  ),
  jobs: z.optional(count),
  runtimes: z.optional(list(oneOf('crun', 'runc', 'namespaces', 'chroot'))),
  minIsolation: z.optional(oneOf('oci', 'namespaces', 'chroot')),
};

export const checkOptions = object(source);
export const planOptions = object(plan);

const STREAM = 'a Writable, a WritableStream, or a function of a Readable';

function isStream(value: unknown): boolean {
  if (typeof value === 'function' || value instanceof WritableStream) return true;
  return isObject(value) && 'write' in value && 'on' in value;
}

const archive = {
  dest: anyOf<string | Destination>(
    `a path, ${STREAM}`,
    (value) => (typeof value === 'string' && value !== '') || isStream(value),
  ),
};
const compression = z.optional(oneOf('gzip', 'zstd', 'none'));
const output = z.discriminatedUnion(
  'type',
  [
    object({ type: z.literal('oci'), ...archive, compression }),
    object({ type: z.literal('docker'), ...archive, compression }),
    object({ type: z.literal('tar'), ...archive }),
    object({ type: z.literal('local'), dest: path }),
  ],
  { error: '"oci", "docker", "tar", "local"' },
);

const build = {
  ...plan,
  tags: z.optional(
    anyOf<string | readonly string[]>(
      'a name, or a list of names',
      (value) =>
        typeof value === 'string' ||
        (Array.isArray(value) && value.every((each) => typeof each === 'string')),
    ),
  ),
  labels: z.optional(record(text())),
  outputs: z.optional(list(output)),
  push: z.optional(flag),
  pushCompression: compression,
  load: z.optional(flag),
  cacheTo: z.optional(list(cacheTo)),
  cacheMaxSize: z.optional(
    anyOf<NonNullable<BuildOptions['cacheMaxSize']>>(
      'a number of bytes, or a part of the disk, for example "10%"',
      (value) =>
        typeof value === 'number'
          ? Number.isSafeInteger(value) && value > 0
          : typeof value === 'string' &&
            /^(?:100|[1-9]\d?|0)(?:\.\d+)?%$/.test(value) &&
            Number.parseFloat(value) > 0,
    ),
  ),
};

export const buildOptions = object(build);
export const watchOptions = object({
  ...build,
  poll: z.optional(number('a number of seconds', { least: 0.01, isWhole: false })),
});

const permissions = z.optional(
  number('permissions, for example 0o755', { least: 0, isWhole: true }).check(
    z.refine((value) => value <= 0o7777, { error: 'permissions, for example 0o755' }),
  ),
);
const time = z.optional(
  anyOf<Date | number>('a date, or milliseconds since 1970', (value) =>
    value instanceof Date ? !Number.isNaN(value.getTime()) : Number.isFinite(value),
  ),
);

const content = anyOf<string | Uint8Array>(
  'a text or bytes',
  (value) => typeof value === 'string' || value instanceof Uint8Array,
);

/** What lies at a path of a context should be, for messages. */
export const CONTEXT_FILE = 'a text, bytes, { content }, { symlink } or { folder: true }';

/** What lies at a path of a context in memory, but for plain texts and bytes. */
export const contextFile: z.ZodMiniType<ContextFile> = z.union(
  [
    object({ content, mode: permissions, mtime: time }),
    object({ symlink: name('where the link leads'), mtime: time }),
    object({
      folder: z.literal(true, { error: 'true' }),
      mode: permissions,
      mtime: time,
    }),
  ],
  { error: CONTEXT_FILE },
);

export const imageName = name('the name of an image, an image id or the beginning of one');

export const runOptions = object({
  ...common,
  image: imageName,
  command: z.optional(list(text())),
  entrypoint: z.optional(list(text())),
  env: z.optional(record(text())),
  workdir: z.optional(name('an absolute path')),
  user: z.optional(text()),
  input: z.optional(
    anyOf<ProgramInput>(
      'a text, bytes, or a stream or async iterable of those',
      (value) =>
        typeof value === 'string' ||
        value instanceof Uint8Array ||
        (isObject(value) && Symbol.asyncIterator in value),
    ),
  ),
  stdout: z.optional(anyOf<Destination>(STREAM, isStream)),
  stderr: z.optional(anyOf<Destination>(STREAM, isStream)),
  forms: plan.forms,
  volumes: z.optional(list(object({ source: path, target: path, readOnly: z.optional(flag) }))),
  network: z.optional(oneOf('host', 'none')),
  pull: z.optional(oneOf('always', 'missing', 'never')),
  runtimes: plan.runtimes,
  minIsolation: plan.minIsolation,
  registry: z.optional(registry),
});

export const storeOptions = object(common);
export const registryName = name('the name of an image, for example registry.example.com/app:1.2');
export const newName = name('a name for the image: NAME[:TAG]');
const { signal } = common;
export const callOptions = object({ signal });
export const removeOptions = object({ signal, force: z.optional(flag) });
export const verifyOptions = object({ signal, repair: z.optional(flag) });
export const buildsOptions = object({ signal, limit: z.optional(count) });
export const pullOptions = object({
  signal,
  platform: z.optional(name(PLATFORM)),
  registry: z.optional(registry),
});
export const pushOptions = object({
  signal,
  compression,
  registry: z.optional(registry),
});
export const pruneOptions = object({
  signal,
  unusedFor: z.optional(number('a number of milliseconds', { least: 0, isWhole: false })),
  kinds: z.optional(
    list(oneOf('step', 'base image', 'unnamed image', 'tree', 'cache mount', 'file', 'logs', 'unreadable')),
  ),
  ids: z.optional(list(name('an id, or the beginning of one'))),
  keepStorage: z.optional(bytes),
  maxUsedSpace: z.optional(bytes),
  minFreeSpace: z.optional(bytes),
  dryRun: z.optional(flag),
});
