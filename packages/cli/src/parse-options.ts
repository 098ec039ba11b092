import { resolve } from 'node:path';
import type { PullPolicy, SecretSource } from '@caisson/builder';
import {
  formatPlatform,
  hostPlatform,
  nearestPlatform,
  parsePlatform,
  parseSourceDateEpoch as parseEpoch,
  type Platform,
} from '@caisson/oci';
import { suggest } from '@caisson/parser';
import { ISOLATIONS, type Isolation, type RuntimeName } from '@caisson/runtime';
import type { Option } from 'commander';
import { choiceOption } from './choice-option.ts';
import type { Given } from './flag-or-variable.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** A flag that may be given several times. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** The same, for names with commas between them. */
export function collectNames(value: string, before: readonly string[]): readonly string[] {
  return [...before, ...value.split(',').filter((name) => name !== '')];
}

/** One of some words. @throws UsageError */
export function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw new UsageError(`${flag} ${JSON.stringify(value)} is not known`, {
    expected: allowed.join(', '),
    ...nearest(value, allowed),
  });
}

function nearest(word: string, known: readonly string[]): { readonly suggestion?: string } {
  const near = suggest(word, known);
  return near === undefined ? {} : { suggestion: near };
}

/** A key of `NAME=VALUE,NAME=VALUE` that a flag does not have. */
export function unknownKey(
  flag: string,
  text: string,
  key: string,
  { keys, form }: { readonly keys: readonly string[]; readonly form: string },
): UsageError {
  return new UsageError(`${flag} ${JSON.stringify(text)}: ${JSON.stringify(key)} is not known`, {
    expected: form,
    ...nearest(key, keys),
  });
}

/** What `--network` of a build may be. */
export const NETWORK_CHOICES = ['default', 'host', 'none'] as const;

/** What `--allow` may be. */
export const RIGHTS = ['network.host'] as const;

/** What `--pull` may be. */
export const PULL_CHOICES = ['always', 'missing', 'never'] as const;

/** `--pull` of a build */
export function pullOption(): Option {
  return choiceOption(
    '--pull [when]',
    'ask the registry for base images (--pull, --pull=always, =missing or =never)',
    PULL_CHOICES,
  );
}

/** What `--pull` of a build says. @throws UsageError */
export function parsePull(value: string | boolean | undefined): PullPolicy {
  if (value === undefined || value === false) return 'default';
  if (value === true || value === 'true') return 'always';
  if (value === 'false') return 'default';
  return oneOf('--pull', value, PULL_CHOICES);
}

/** `--platform` of a build, as often as it is given: `linux/amd64,linux/arm64`; `local` is this machine's. @throws UsageError */
export function parsePlatforms(given: readonly string[], byDefault: string | undefined): readonly string[] {
  const all = given.length > 0 ? given : [byDefault ?? ''];
  if (all.join('') === '') return [];
  return all
    .flatMap((text) => text.split(','))
    .map((each) => formatPlatform(each === 'local' ? hostPlatform() : parseOnePlatform(each.trim())));
}

/** `--platform` where it is one; `local` is this machine's. @throws UsageError */
export function parsePlatformOption(text: string | undefined): Platform | undefined {
  if (text === undefined || text === '' || text === 'local') return undefined;
  if (text.includes(',')) {
    throw new UsageError('--platform names several platforms', {
      expected: 'one platform, for example linux/arm64',
    });
  }
  return parseOnePlatform(text);
}

function parseOnePlatform(text: string): Platform {
  const parsed = parsePlatform(text);
  if (!parsed.ok) throw new UsageError(`--platform: ${parsed.error}`);
  const near = nearestPlatform(parsed.value, suggest);
  if (near === undefined) return parsed.value;
  throw new UsageError(`--platform ${JSON.stringify(text)} is not known`, {
    expected: 'os/architecture[/variant], for example linux/arm64',
    suggestion: near,
  });
}

/** What `--runtime` may name. */
export const RUNTIME_CHOICES = ['crun', 'runc', 'namespaces', 'chroot'] as const;

/** `--runtime`, or its variable: names with commas between them. @throws UsageError */
export function parseRuntimes(given: Given | undefined): readonly RuntimeName[] | undefined {
  return given?.value.split(',').map((each) => oneOf(given.by, each, RUNTIME_CHOICES));
}

/** `--min-isolation`, or its variable. @throws UsageError */
export function parseMinIsolation(given: Given | undefined): Isolation | undefined {
  return given === undefined ? undefined : oneOf(given.by, given.value, ISOLATIONS);
}

/** The option `--min-isolation`. @param what what is not run */
export function minIsolationOption(what: 'steps' | 'it'): Option {
  const help = `nothing weaker runs ${what}: oci, namespaces, or chroot (CAISSON_MIN_ISOLATION)`;
  return choiceOption('--min-isolation <level>', help, ISOLATIONS);
}

/** `--build-arg`. @throws UsageError */
export function parseBuildArgs(args: readonly string[], env: Environment): Record<string, string> {
  return Object.fromEntries(assignments('--build-arg', args, env));
}

/** `--build-context`: the last of a name counts. @throws UsageError */
export function parseBuildContexts(args: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    args.map((arg): [string, string] => {
      const equals = arg.indexOf('=');
      if (equals > 0) return [arg.slice(0, equals), arg.slice(equals + 1)];
      throw new UsageError(`--build-context ${JSON.stringify(arg)} is no context`, {
        expected: 'NAME=FOLDER, NAME=docker-image://IMAGE, NAME=oci-layout://FOLDER[:TAG] or NAME=URL',
      });
    }),
  );
}

/** What `--context-modes` may be. */
export const CONTEXT_MODES_CHOICES = ['exact', 'normal'] as const;

/** `--context-modes`, or the variable that stands for it. @throws UsageError */
export function parseContextModes(given: Given | undefined): 'exact' | 'normal' {
  return given === undefined ? 'exact' : oneOf(given.by, given.value, CONTEXT_MODES_CHOICES);
}

const FORMS_CHOICES = ['auto', 'trees', 'maps'] as const;

/** `--forms` */
export function formsOption(): Option {
  return choiceOption(
    '--forms <which>',
    'what layers are mounted from: auto, trees (unpacked), or maps (EROFS over their tars) (CAISSON_FORMS)',
    FORMS_CHOICES,
  );
}

/** `--forms`, or the variable that stands for it. @throws UsageError */
export function parseForms(given: Given | undefined): 'auto' | 'trees' | 'maps' {
  return given === undefined ? 'auto' : oneOf(given.by, given.value, FORMS_CHOICES);
}

/** `--label`: without a value it is empty. @throws UsageError */
export function parseLabels(args: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    assignments(
      '--label',
      args.map((arg) => (arg.includes('=') ? arg : `${arg}=`)),
      {},
    ),
  );
}

/** `--env`: `NAME=value` each. @throws UsageError */
export function parseEnv(args: readonly string[], env: Environment): string[] {
  return assignments('--env', args, env).map(([name, value]) => `${name}=${value}`);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `NAME=value`; a name alone takes its value from the environment, and is not given where that has none. */
function assignments(flag: string, args: readonly string[], env: Environment): [string, string][] {
  return args.flatMap((arg): [string, string][] => {
    const equals = arg.indexOf('=');
    const name = equals === -1 ? arg : arg.slice(0, equals);
    if (name === '')
      throw new UsageError(`${flag} ${JSON.stringify(arg)} has no name`, { expected: 'NAME=value' });
    const value = equals === -1 ? env[name] : arg.slice(equals + 1);
    return value === undefined ? [] : [[name, value]];
  });
}

const SECRET_KEYS = ['id', 'src', 'source', 'env', 'type'];
const SECRET_FORM = 'id=NAME[,src=FILE] or id=NAME,env=NAME';

/** `--secret`, as docker takes it: without a source, the variable of that name, else the file. @throws UsageError */
export function parseSecrets(
  texts: readonly string[],
  { env, cwd }: Pick<Terminal, 'env' | 'cwd'>,
): Record<string, SecretSource> {
  return Object.fromEntries(
    texts.map((text): [string, SecretSource] => {
      const fields = new Map(
        text.split(',').map((field): [string, string] => {
          const equals = field.indexOf('=');
          return [field.slice(0, Math.max(0, equals)), field.slice(equals + 1)];
        }),
      );
      const unknown = [...fields.keys()].find((key) => key !== '' && !SECRET_KEYS.includes(key));
      if (unknown !== undefined)
        throw unknownKey('--secret', text, unknown, { keys: SECRET_KEYS, form: SECRET_FORM });
      oneOf('--secret type', fields.get('type') ?? 'file', ['file', 'env']);
      const source = fields.get('src') ?? fields.get('source');
      const id = fields.get('id') ?? source;
      if (fields.has('') || id === undefined || id === '')
        throw new UsageError(`--secret ${JSON.stringify(text)} is no secret`, { expected: SECRET_FORM });
      const variable = fields.get('env') ?? (fields.get('type') === 'env' ? (source ?? id) : undefined);
      if (source !== undefined && variable === undefined)
        return [id, { kind: 'file', path: resolve(cwd, source) }];
      const name = variable ?? id;
      const value = env[name];
      if (value !== undefined) return [id, { kind: 'value', value }];
      if (variable === undefined) return [id, { kind: 'file', path: resolve(cwd, id) }];
      throw new UsageError(`--secret ${JSON.stringify(text)}: the variable ${name} is not set`, {
        expected: SECRET_FORM,
      });
    }),
  );
}

/**
 * `--ssh`, as docker takes it: `default` is the agent of SSH_AUTH_SOCK; `id=PATH[,PATH]` a socket or private keys.
 * @throws UsageError
 */
export function parseSsh(
  texts: readonly string[],
  { env, cwd }: Pick<Terminal, 'env' | 'cwd'>,
): Record<string, readonly string[]> {
  return Object.fromEntries(
    texts.map((text): [string, readonly string[]] => {
      const equals = text.indexOf('=');
      const id = equals === -1 ? text : text.slice(0, equals);
      const paths = equals === -1 ? [] : text.slice(equals + 1).split(',');
      if (id === '' || paths.includes(''))
        throw new UsageError(`--ssh ${JSON.stringify(text)} is no agent`, {
          expected: 'default, or ID=SOCKET, or ID=KEY[,KEY]',
        });
      if (paths.length > 0) return [id, paths.map((path) => resolve(cwd, path))];
      const socket = env['SSH_AUTH_SOCK'];
      if (socket !== undefined && socket !== '') return [id, [socket]];
      throw new UsageError(`--ssh ${id} needs an agent, and SSH_AUTH_SOCK is not set`, {
        expected: `an agent (eval $(ssh-agent); ssh-add), or --ssh ${id}=KEY`,
        ...(id === 'default' ? {} : nearest(id, ['default'])),
      });
    }),
  );
}

/** SOURCE_DATE_EPOCH. @throws UsageError */
export function parseSourceDateEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const parsed = parseEpoch(text);
  if (parsed.ok) return parsed.value;
  const { message, expected } = parsed.error;
  throw new UsageError(message, { expected });
}

/** A whole number above 0. @throws UsageError */
export function parseCount(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} ${JSON.stringify(text)} is no number`, { expected: 'a whole number from 1' });
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration in milliseconds: `90s`, `30m`, `1h30m`, `7d`. @throws UsageError */
export function parseDuration(flag: string, text: string): number {
  if (/^(?:\d{1,6}[smhd])+$/.test(text)) {
    return [...text.matchAll(/(\d+)([smhd])/g)].reduce(
      (sum, [, count = '', unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0),
      0,
    );
  }
  throw new UsageError(`${flag} ${JSON.stringify(text)} is no duration`, {
    expected: 'a number and s, m, h or d, for example 24h',
  });
}
