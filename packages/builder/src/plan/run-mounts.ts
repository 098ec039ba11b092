import { posix } from 'node:path';
import { errorAt, expandWord, parseRunMount, type RunInstruction, type RunMount } from '@caisson/parser';
import { err, ok } from '@caisson/oci';
import type { MountedFiles, CopyOrigin, Place, PlannedMount } from './planned.ts';
import type { StageDraft } from './stage-draft.ts';

/** A mount as a RUN says it, and where. */
export interface WrittenMount {
  readonly mount: RunMount;
  readonly place: Place;
  /** How many ssh mounts stand before it. */
  readonly sshIndex: number;
}

/** The `--mount` flags of a RUN, read; what is wrong with one is reported. */
export function readMounts(draft: StageDraft, { flags }: RunInstruction, place: Place): WrittenMount[] {
  let sshMounts = 0;
  return flags.flatMap((flag) => {
    if (flag.name !== 'mount' || flag.value === undefined) return [];
    const read = parseRunMount(flag.value, (value) => {
      const expanded = expandWord(value, draft.env, { escape: draft.settings.escape });
      return expanded.ok ? ok(expanded.value) : err({ message: expanded.error.message });
    });
    if (read.ok) {
      const sshIndex = read.value.type === 'ssh' ? sshMounts++ : 0;
      return [{ mount: read.value, place: { ...place, range: flag.range }, sshIndex }];
    }
    const { message, expected, suggestion } = read.error;
    draft.settings.report(
      errorAt(flag.range, 'invalid-value', message, {
        ...(expected === undefined ? {} : { expected }),
        suggestion,
      }),
    );
    return [];
  });
}

/** A mount as the step has it; undefined for one that cannot be, which is reported. */
export function planMount(
  draft: StageDraft,
  { mount, place, sshIndex }: WrittenMount,
  origin: CopyOrigin,
): PlannedMount | undefined {
  const { report } = draft.settings;
  const target = mount.target === undefined ? undefined : posix.resolve('/', draft.workdir, mount.target);
  if (target === '/') {
    report(
      errorAt(place.range, 'invalid-value', 'nothing can be mounted over the root folder', {
        expected: 'target=/PATH',
      }),
    );
    return undefined;
  }
  if (mount.type === 'secret') return planSecret(mount, target, place);
  if (mount.type === 'ssh') {
    const { id, isRequired, mode, uid, gid } = mount;
    const socket = target ?? `/run/buildkit/ssh_agent.${sshIndex}`;
    const isDefault = sshIndex === 0 && draft.env.get('SSH_AUTH_SOCK') === undefined;
    return { kind: 'ssh', id, target: socket, isDefault, isRequired, mode, uid, gid, place };
  }
  if (target === undefined) throw new Error('Internal error: a mount without a target');
  switch (mount.type) {
    case 'bind':
      return {
        kind: 'bind',
        target,
        source: { kind: 'path', text: mount.source, place },
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
        report(errorAt(place.range, 'invalid-value', message, { expected }));
        return undefined;
      }
      const seed: MountedFiles | undefined =
        mount.from === undefined
          ? undefined
          : { source: { kind: 'path', text: source, place }, from: origin };
      return { kind: 'cache', target, id: mount.id ?? target, isReadOnly, sharing, mode, uid, gid, seed };
    }
  }
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
