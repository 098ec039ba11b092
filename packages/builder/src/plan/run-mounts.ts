import { posix } from 'node:path';
import { errorAt, expandWord, parseRunMount, type RunInstruction, type RunMount } from '@caisson/parser';
import { err, ok } from '@caisson/oci';
import { notSupported } from './not-supported.ts';
import type { CopyOrigin, Place, PlannedMount } from './planned.ts';
import type { StageDraft } from './stage-draft.ts';

/** The `--mount` flags of a RUN, read; what is wrong with one is reported. */
export function readMounts(
  draft: StageDraft,
  { flags }: RunInstruction,
  place: Place,
): { readonly mount: RunMount; readonly place: Place }[] {
  return flags.flatMap((flag) => {
    if (flag.name !== 'mount' || flag.value === undefined) return [];
    const read = parseRunMount(flag.value, (value) => {
      const expanded = expandWord(value, draft.env, { escape: draft.settings.escape });
      return expanded.ok ? ok(expanded.value) : err({ message: expanded.error.message });
    });
    if (read.ok) return [{ mount: read.value, place: { ...place, range: flag.range } }];
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
  mount: RunMount,
  origin: CopyOrigin,
  place: Place,
): PlannedMount | undefined {
  const { report } = draft.settings;
  if (mount.type === 'ssh') {
    report(notSupported({ text: '', range: place.range }, 'RUN --mount=type=ssh'));
    return undefined;
  }
  const target = mount.target === undefined ? undefined : posix.resolve('/', draft.workdir, mount.target);
  if (target === '/') {
    report(errorAt(place.range, 'invalid-value', 'nothing can be mounted over the root folder'));
    return undefined;
  }
  if (mount.type === 'secret') return planSecret(mount, target, place);
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
      if (mount.from !== undefined || mount.source !== undefined) {
        report(notSupported({ text: '', range: place.range }, 'a cache mount that begins with other files'));
        return undefined;
      }
      const { isReadOnly, sharing, mode, uid, gid } = mount;
      return { kind: 'cache', target, id: mount.id ?? target, isReadOnly, sharing, mode, uid, gid };
    }
  }
}

/** A secret is a file unless only a variable was asked for. */
function planSecret(
  { id, env, isRequired, mode, uid, gid }: Extract<RunMount, { type: 'secret' }>,
  target: string | undefined,
  place: Place,
): PlannedMount {
  const file = target ?? (env === undefined ? `/run/secrets/${id}` : undefined);
  return { kind: 'secret', id, target: file, env, isRequired, mode, uid, gid, place };
}
