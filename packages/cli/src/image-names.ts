import { familiarName, parseReference, type Reference } from '@caisson/oci';
import { UsageError } from './usage-error.ts';

/** A name that the user gave. @throws UsageError */
export function parseName(text: string): Reference {
  const reference = parseReference(text);
  if (reference.ok) return reference.value;
  throw new UsageError(reference.error, { expected: 'NAME[:TAG], for example registry.example.com/app:1.2' });
}

/** A full name as people write it. */
export function shownName(fullName: string): string {
  const reference = parseReference(fullName);
  return reference.ok ? familiarName(reference.value) : fullName;
}

/** A full name in the two columns of docker's table; `<none>` for what is not there. */
export function nameColumns(fullName: string | undefined): [repository: string, tag: string] {
  const reference = fullName === undefined ? undefined : parseReference(fullName);
  if (reference?.ok !== true) return ['<none>', '<none>'];
  const { tag, digest: _digest, ...rest } = reference.value;
  return [familiarName(rest), tag ?? '<none>'];
}
