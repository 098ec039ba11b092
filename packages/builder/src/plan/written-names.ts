import { ok } from '@caisson/oci';
import {
  expandWord,
  flagValue,
  parseRunMount,
  parseTrigger,
  type Dockerfile,
  type Instruction,
} from '@caisson/parser';

/**
 * The names that stand anywhere in a Dockerfile, whether its target needs them or not: of stages, and what FROM, `--from`
 * and mounts take files from.
 * @param args those before the first FROM
 */
export function writtenNames(
  { stages, escape }: Dockerfile,
  args: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  return new Set(
    stages.flatMap(({ name, from, instructions }) => {
      const image = expandWord(from.image.text, args, { escape });
      return [
        ...(name === undefined ? [] : [name]),
        ...(image.ok ? [image.value] : []),
        ...instructions.flatMap(namesOf),
      ];
    }),
  );
}

function namesOf(instruction: Instruction): readonly string[] {
  switch (instruction.kind) {
    case 'copy':
    case 'add': {
      const from = flagValue(instruction.flags, 'from');
      return from === undefined ? [] : [from];
    }
    case 'run':
      return instruction.flags.flatMap(({ name, value }) => {
        if (name !== 'mount' || value === undefined) return [];
        const read = parseRunMount(value, ok);
        return read.ok && 'from' in read.value ? (read.value.from ?? []) : [];
      });
    case 'onbuild': {
      const { instruction: kept } = parseTrigger(instruction.trigger);
      return kept === undefined || kept.kind === 'onbuild' ? [] : namesOf(kept);
    }
    case 'from':
    case 'env':
    case 'label':
    case 'arg':
    case 'workdir':
    case 'user':
    case 'stopsignal':
    case 'maintainer':
    case 'expose':
    case 'volume':
    case 'shell':
    case 'cmd':
    case 'entrypoint':
    case 'healthcheck':
      return [];
  }
}
