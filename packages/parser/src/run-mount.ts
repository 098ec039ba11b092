import { err, ok, type Result } from './result.ts';
import { suggest } from './suggest.ts';

/** A mount of a RUN, as `--mount` says it. Paths are as written. */
export type RunMount =
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly source: string;
      readonly from: string | undefined;
      readonly isReadOnly: boolean;
    }
  | {
      readonly type: 'cache';
      readonly target: string;
      readonly id: string | undefined;
      readonly source: string | undefined;
      readonly from: string | undefined;
      readonly isReadOnly: boolean;
      readonly sharing: CacheSharing;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly type: 'tmpfs';
      readonly target: string;
      /** In bytes. */
      readonly size: number | undefined;
    }
  | {
      readonly type: 'secret';
      readonly id: string;
      readonly target: string | undefined;
      readonly env: string | undefined;
      readonly isRequired: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {
      readonly type: 'ssh';
      readonly id: string;
      readonly target: string | undefined;
      readonly isRequired: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** Who may use a cache at once: all; each its own; one after another. */
export type CacheSharing = 'shared' | 'private' | 'locked';

/** What is wrong with a mount. */
export interface MountProblem {
  readonly message: string;
  readonly expected?: string;
  readonly suggestion?: string;
}

const TYPES = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
type MountType = (typeof TYPES)[number];

/** Which keys say something to a type. */
const KEYS: Readonly<Record<MountType, readonly string[]>> = {
  bind: ['target', 'source', 'from', 'readonly', 'readwrite'],
  cache: ['target', 'source', 'from', 'readonly', 'readwrite', 'id', 'sharing', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
  secret: ['target', 'id', 'source', 'env', 'required', 'mode', 'uid', 'gid'],
  ssh: ['target', 'id', 'required', 'mode', 'uid', 'gid'],
};
/** Which keys a type may have that say nothing to it: docker takes them, so they are in Dockerfiles. */
const IDLE_KEYS: Readonly<Record<MountType, readonly string[]>> = {
  bind: ['id', 'env'],
  cache: ['env'],
  tmpfs: ['id', 'env', 'source', 'from', 'readonly', 'readwrite'],
  secret: ['readonly', 'readwrite'],
  ssh: ['env', 'from', 'readonly', 'readwrite'],
};
/** Keys that must stand behind the type that has them. */
const BEHIND_TYPE: ReadonlySet<string> = new Set(['required', 'size']);
const OTHER_NAMES: Readonly<Record<string, string>> = {
  dst: 'target',
  destination: 'target',
  src: 'source',
  ro: 'readonly',
  rw: 'readwrite',
};
/** The modes of what is made for a mount, where none is given. */
const MODES: Readonly<Record<MountType, number>> = {
  bind: 0o755,
  cache: 0o755,
  tmpfs: 0o1777,
  secret: 0o400,
  ssh: 0o600,
};
const SWITCHES: ReadonlySet<string> = new Set(['readonly', 'readwrite', 'required']);

/**
 * Reads the value of `--mount`: `type=cache,target=/root/.npm`. Without a type it is a bind.
 * @param expand replaces the variables in a value; `from` takes none
 * @see https://docs.docker.com/reference/dockerfile/#run---mount
 */
export function parseRunMount(
  text: string,
  expand: (value: string) => Result<string, MountProblem>,
): Result<RunMount, MountProblem> {
  const split = splitFields(text);
  if (!split.ok) return split;
  const fields = new Map<string, string>();
  for (const field of split.value) {
    const read = readField(field, expand);
    if (!read.ok) return read;
    const [key, value] = read.value;
    const typeSoFar = fields.get('type')?.toLowerCase();
    if (BEHIND_TYPE.has(key) && TYPES.every((each) => each !== typeSoFar || !KEYS[each].includes(key))) {
      const types = TYPES.filter((each) => KEYS[each].includes(key));
      const message = `a mount of type ${typeSoFar ?? 'bind'} has no ${JSON.stringify(key)}`;
      return err({ message, expected: `type=${types.join(' or type=')} before it` });
    }
    fields.set(key, value);
  }
  const typeText = fields.get('type') ?? 'bind';
  const type = TYPES.find((each) => each === typeText.toLowerCase());
  if (type === undefined)
    return unknownWord(`the mount type ${JSON.stringify(typeText)} is not known`, typeText, TYPES);
  for (const key of fields.keys()) {
    if (key === 'type' || KEYS[type].includes(key) || IDLE_KEYS[type].includes(key)) continue;
    return unknownWord(`a mount of type ${type} has no ${JSON.stringify(key)}`, key, ['type', ...KEYS[type]]);
  }
  return mountOf(type, fields);
}

function unknownWord(message: string, word: string, known: readonly string[]): Result<never, MountProblem> {
  const near = suggest(word, known);
  return err({ message, expected: known.join(', '), ...(near === undefined ? {} : { suggestion: near }) });
}

/** Fields between commas; one that stands in double quotes may hold some, and a quote as two. */
function splitFields(text: string): Result<string[], MountProblem> {
  const fields: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(FIELD)) {
    if (quoted === undefined && plain.includes('"')) {
      const message = `a quote in the middle of the mount option ${JSON.stringify(plain)}`;
      return err({ message, expected: 'the whole option in quotes: "target=/a,b"' });
    }
    const field = quoted?.replaceAll('""', '"') ?? plain;
    if (field === '') return err({ message: 'a mount option is empty', expected: 'key=value' });
    fields.push(field);
    if (end === '') break;
  }
  return ok(fields);
}

/** One field, and the comma or the end behind it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/gy;

function readField(
  field: string,
  expand: (value: string) => Result<string, MountProblem>,
): Result<[key: string, value: string], MountProblem> {
  const equals = field.indexOf('=');
  const written = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
  const key = OTHER_NAMES[written] ?? written;
  if (equals === -1) {
    if (SWITCHES.has(key)) return ok([key, 'true']);
    return err({ message: `the mount option ${JSON.stringify(field)} has no value`, expected: 'key=value' });
  }
  const value = field.slice(equals + 1);
  if (key !== 'from') {
    const expanded = expand(value);
    return expanded.ok ? ok([key, expanded.value]) : expanded;
  }
  if (!/\$./.test(value)) return ok([key, value]);
  return err({
    message: "'from' doesn't support variable expansion, define alias stage instead",
    expected: `the name of a stage: FROM ${value} AS name`,
  });
}

function mountOf(type: MountType, fields: ReadonlyMap<string, string>): Result<RunMount, MountProblem> {
  const target = fields.get('target');
  const reader = new FieldReader(fields);
  const isReadOnly = reader.isOn('readonly', false);
  const isReadWrite = reader.isOn('readwrite', false);
  const ids = { uid: reader.number('uid', 0), gid: reader.number('gid', 0) };
  const mode = reader.mode('mode', MODES[type]);
  const isRequired = reader.isOn('required', false);
  const size = reader.size('size');
  const sharing = reader.sharing();
  if (reader.problem !== undefined) return err(reader.problem);
  if (type === 'ssh') {
    const id = fields.get('id') ?? 'default';
    return ok({ type, id, target, isRequired, mode, ...ids });
  }
  if (type === 'secret') {
    const [named, source, env] = [fields.get('id'), fields.get('source'), fields.get('env')];
    if (named !== undefined && source !== undefined)
      return err({ message: 'a secret has an id or a source, not both', expected: 'type=secret,id=NAME' });
    const id = [named, source, target?.split('/').at(-1)].find((each) => (each ?? '') !== '');
    if (id === undefined) return err({ message: 'a secret needs an id', expected: 'type=secret,id=NAME' });
    if (env === '') return err({ message: 'the variable of a secret has no name', expected: 'env=NAME' });
    return ok({ type, id, target: target === '' ? undefined : target, env, isRequired, mode, ...ids });
  }
  if (target === undefined || target === '')
    return err({ message: `a mount of type ${type} needs a target`, expected: `type=${type},target=PATH` });
  const source = fields.get('source');
  const from = fields.get('from') === '' ? undefined : fields.get('from');
  switch (type) {
    case 'bind':
      return ok({ type, target, source: source ?? '/', from, isReadOnly: !isReadWrite });
    case 'cache':
      return ok({ type, target, id: fields.get('id'), source, from, isReadOnly, sharing, mode, ...ids });
    case 'tmpfs':
      return ok({ type, target, size });
  }
}

/** Each 1024 times the one before. */
const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** Reads values, and keeps the first that is none. */
class FieldReader {
  problem: MountProblem | undefined;
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: ReadonlyMap<string, string>) {
    this.#fields = fields;
  }

  isOn(key: string, otherwise: boolean): boolean {
    return this.#read(key, otherwise, 'true or false', (text) =>
      /^(?:true|t|1)$/i.test(text) ? true : /^(?:false|f|0)$/i.test(text) ? false : undefined,
    );
  }

  number(key: string, otherwise: number): number {
    return this.#read(key, otherwise, 'a number', (text) =>
      /^\d{1,10}$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : undefined,
    );
  }

  mode(key: string, otherwise: number): number {
    return this.#read(key, otherwise, 'an octal mode', (text) =>
      /^[0-7]{1,4}$/.test(text) ? Number.parseInt(text, 8) : undefined,
    );
  }

  size(key: string): number | undefined {
    return this.#read<number | undefined>(key, undefined, 'a size, for example 64m', (text) => {
      const [, count = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text) ?? [];
      return count === '' ? undefined : Math.floor(Number(count) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
    });
  }

  sharing(): CacheSharing {
    const known = ['shared', 'private', 'locked'] as const;
    return this.#read('sharing', 'shared', known.join(', '), (text) =>
      known.find((each) => each === text.toLowerCase()),
    );
  }

  #read<T>(key: string, otherwise: T, expected: string, parse: (text: string) => T | undefined): T {
    const text = this.#fields.get(key);
    const value = text === undefined ? otherwise : parse(text);
    if (text === undefined || value !== undefined) return value ?? otherwise;
    const near = suggest(text, expected.split(', '));
    this.problem ??= {
      message: `the mount option ${key}=${text} is not valid`,
      expected,
      ...(near === undefined ? {} : { suggestion: near }),
    };
    return otherwise;
  }
}
