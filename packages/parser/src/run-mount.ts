import { err, ok, type Result } from './result.ts';
import { FieldReader } from './mount-field-reader.ts';
import { nearest, readField, splitFields, type Field, type MountProblem } from './mount-fields.ts';
import type { Span } from './words.ts';

/** A mount of a RUN, as `--mount` says it. Paths are as written; an empty target is the working folder. */
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
/** The modes of what is made for a mount, where none is given. */
const MODES: Readonly<Record<MountType, number>> = {
  bind: 0o755,
  cache: 0o755,
  tmpfs: 0o1777,
  secret: 0o400,
  ssh: 0o600,
};

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
  const fields = new Map<string, Field>();
  for (const written of split.value) {
    const { span } = written;
    const read = readField(written, expand);
    if (!read.ok) return err({ span, ...read.error });
    const { key } = read.value;
    const typeSoFar = fields.get('type')?.value.toLowerCase();
    if (BEHIND_TYPE.has(key) && TYPES.every((each) => each !== typeSoFar || !KEYS[each].includes(key))) {
      const types = TYPES.filter((each) => KEYS[each].includes(key));
      const message = `a mount of type ${typeSoFar ?? 'bind'} has no ${JSON.stringify(key)}`;
      return err({ message, expected: `type=${types.join(' or type=')} before it`, span });
    }
    // Two words for one thing: the last counts.
    if (key === 'readonly') fields.delete('readwrite');
    if (key === 'readwrite') fields.delete('readonly');
    fields.set(key, read.value);
  }
  const typeField = fields.get('type');
  const typeText = typeField?.value ?? 'bind';
  const type = TYPES.find((each) => each === typeText.toLowerCase());
  if (type === undefined)
    return unknownWord(
      `the mount type ${JSON.stringify(typeText)} is not known`,
      typeText,
      TYPES,
      typeField?.span,
    );
  for (const { key, span } of fields.values()) {
    if (key === 'type' || KEYS[type].includes(key) || IDLE_KEYS[type].includes(key)) continue;
    const message = `a mount of type ${type} has no ${JSON.stringify(key)}`;
    return unknownWord(message, key, ['type', ...KEYS[type]], span);
  }
  return mountOf(type, fields);
}

function unknownWord(
  message: string,
  word: string,
  known: readonly string[],
  span: Span | undefined,
): Result<never, MountProblem> {
  return err({
    message,
    expected: known.join(', '),
    ...nearest(word, known),
    ...(span === undefined ? {} : { span }),
  });
}

function mountOf(type: MountType, fields: ReadonlyMap<string, Field>): Result<RunMount, MountProblem> {
  const valueOf = (key: string): string | undefined => fields.get(key)?.value;
  const problem = (key: string, message: string, expected: string): Result<never, MountProblem> => {
    const span = fields.get(key)?.span;
    return err({ message, expected, ...(span === undefined ? {} : { span }) });
  };
  const target = valueOf('target');
  const reader = new FieldReader(fields);
  const isReadOnly = reader.isOn('readonly', !reader.isOn('readwrite', type !== 'bind'));
  const ids = { uid: reader.number('uid', 0), gid: reader.number('gid', 0) };
  const mode = reader.mode('mode', MODES[type]);
  const isRequired = reader.isOn('required', false);
  const size = reader.size('size');
  const sharing = reader.sharing();
  if (reader.problem !== undefined) return err(reader.problem);
  if (type === 'ssh') {
    const id = valueOf('id') ?? 'default';
    return ok({ type, id, target, isRequired, mode, ...ids });
  }
  if (type === 'secret') {
    const [named, source, env] = [valueOf('id'), valueOf('source'), valueOf('env')];
    if (named !== undefined && source !== undefined)
      return problem('source', 'a secret has an id or a source, not both', 'type=secret,id=NAME');
    const id = [named, source, target?.split('/').at(-1)].find((each) => (each ?? '') !== '');
    if (id === undefined) return problem('id', 'a secret needs an id', 'type=secret,id=NAME');
    if (env === '') return problem('env', 'the variable of a secret has no name', 'env=NAME');
    return ok({ type, id, target: target === '' ? undefined : target, env, isRequired, mode, ...ids });
  }
  const source = valueOf('source');
  const from = valueOf('from') === '' ? undefined : valueOf('from');
  switch (type) {
    case 'bind':
      return ok({ type, target: target ?? '', source: source ?? '/', from, isReadOnly });
    case 'cache': {
      const id = valueOf('id');
      return ok({ type, target: target ?? '', id, source, from, isReadOnly, sharing, mode, ...ids });
    }
    case 'tmpfs':
      return ok({ type, target: target ?? '', size });
  }
}
