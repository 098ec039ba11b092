import { posix } from 'node:path';
import {
  errorAt,
  expandWord,
  findMountOption,
  parseRunMount,
  type Flag,
  type RunInstruction,
  type RunMount,
  type Stage,
} from '@caisson/parser';
import { err, ok } from '@caisson/oci';
import type { MountedFiles, CopyOrigin, Place, PlannedMount } from './planned.ts';
import type { Origins } from './origins.ts';
import type { StageDraft } from './stage-draft.ts';

/** A mount as a RUN says it, and where. */
interface WrittenMount {
  readonly mount: RunMount;
  /** Where an option of it stands; the whole of it, where it does not. */
  readonly placeOf: (option: string) => Place;
  /** How many ssh mounts stand before it. */
  readonly sshIndex: number;
}

/** What a RUN shows to its command besides the files of the stage. */
export async function planMounts(
  draft: StageDraft,
  stage: Stage,
  instruction: RunInstruction,
  place: Place,
  origins: Origins,
): Promise<PlannedMount[]> {
  const mounts: PlannedMount[] = [];
  for (const written of readMounts(draft, instruction, place)) {
    const { mount, placeOf } = written;
    const from = 'from' in mount ? mount.from : undefined;
    const origin: CopyOrigin | undefined =
      from === undefined ? origins.main : await origins.named(stage, from, placeOf('from'));
    const planned = origin === undefined ? undefined : planMount(draft, written, origin);
    if (planned !== undefined) mounts.push(planned);
  }
  return mounts.toSorted((a, b) => ((a.target ?? '') < (b.target ?? '') ? -1 : 1));
}

/** The `--mount` flags of a RUN, read; what is wrong with one is reported. */
function readMounts(draft: StageDraft, { flags }: RunInstruction, place: Place): WrittenMount[] {
  let sshMounts = 0;
  return flags.flatMap((flag) => {
    if (flag.name !== 'mount' || flag.value === undefined) return [];
    const read = parseRunMount(flag.value, (value) => {
      const expanded = expandWord(value, draft.env, { escape: draft.settings.escape });
      return expanded.ok ? ok(expanded.value) : err({ message: expanded.error.message });
    });
    if (read.ok) {
      const sshIndex = read.value.type === 'ssh' ? sshMounts++ : 0;
      return [{ mount: read.value, placeOf: placeFinder(flag, flag.value, place), sshIndex }];
    }
    const { message, expected, suggestion, span } = read.error;
    draft.settings.report(
      errorAt(span === undefined ? flag.valueRange : flag.rangeOf(span), 'invalid-value', message, {
        ...(expected === undefined ? {} : { expected }),
        suggestion,
      }),
    );
    return [];
  });
}

function placeFinder(flag: Flag, value: string, place: Place): (option: string) => Place {
  return (option) => {
    const span = findMountOption(value, option);
    return { ...place, range: span === undefined ? flag.valueRange : flag.rangeOf(span) };
  };
}

/** A mount as the step has it; undefined for one that cannot be, which is reported. */
function planMount(
  draft: StageDraft,
  { mount, placeOf, sshIndex }: WrittenMount,
  origin: CopyOrigin,
): PlannedMount | undefined {
  const { report } = draft.settings;
  const target = mount.target === undefined ? undefined : posix.resolve('/', draft.workdir, mount.target);
  if (target === '/') {
    report(
      errorAt(placeOf('target').range, 'invalid-value', 'nothing can be mounted over the root folder', {
        expected: 'target=/PATH',
        ...(mount.target === '' ? { hint: 'without a target it is on the working folder' } : {}),
      }),
    );
    return undefined;
  }
  if (mount.type === 'secret') return planSecret(mount, target, placeOf('id'));
  if (mount.type === 'ssh') {
    const { id, isRequired, mode, uid, gid } = mount;
    const socket = target ?? `/run/buildkit/ssh_agent.${sshIndex}`;
    const isDefault = sshIndex === 0 && draft.env.get('SSH_AUTH_SOCK') === undefined;
    return { kind: 'ssh', id, target: socket, isDefault, isRequired, mode, uid, gid, place: placeOf('id') };
  }
  if (target === undefined) throw new Error('Internal error: a mount without a target');
  switch (mount.type) {
    case 'bind':
      return {
        kind: 'bind',
        target,
        source: { kind: 'path', text: mount.source, isLiteral: true, place: placeOf('source') },
        from: origin,
        isReadOnly: mount.isReadOnly,
      };
    case 'tmpfs':
      return { kind: 'tmpfs', target, size: mount.size };
    case 'cache': {
      const { isReadOnly, sharing, mode, uid, gid, source = '/' } = mount;
      if (mount.from === undefined && posix.resolve('/', source) !== '/') {
        const message = `a new cache is empty: it has no ${source}`;
        const expected = 'from=STAGE or from=IMAGE, whose files it begins with';
        report(errorAt(placeOf('source').range, 'invalid-value', message, { expected }));
        return undefined;
      }
      const seed: MountedFiles | undefined =
        mount.from === undefined
          ? undefined
          : {
              source: { kind: 'path', text: source, isLiteral: true, place: placeOf('source') },
              from: origin,
            };
      const id = mount.id ?? usualId(mount.target);
      return { kind: 'cache', target, id, isReadOnly, sharing, mode, uid, gid, seed };
    }
  }
}

/** The id of a cache that has none: its target as it is written. So working folders may have one together, as with docker. */
function usualId(target: string): string {
  return posix.normalize(target).replace(/(?<=.)\/$/, '');
}

/** A secret is a file unless only a variable was asked for. */
function planSecret(
  { id, env, isRequired, mode, uid, gid }: Extract<RunMount, { type: 'secret' }>,
  target: string | undefined,
  place: Place,
): PlannedMount {
  const file = target ?? (env === undefined ? `/run/secrets/${posix.basename(id)}` : undefined);
  return { kind: 'secret', id, target: file, env, isRequired, mode, uid, gid, place };
}
