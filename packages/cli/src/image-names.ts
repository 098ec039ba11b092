import { familiarName, parseReference, type Reference } from '@caisson/oci';
import { UsageError } from './usage-error.ts';

/** A name that the user gave. @throws UsageError */
export function parseName(text: string): Reference {
  const reference = parseReference(text);
  if (reference.ok) return reference.value;
  throw wrongName(reference.error, text);
}

/** The names of `--tag`. @throws UsageError */
export function parseTags(texts: readonly string[]): readonly string[] {
  for (const text of texts) {
    const reference = parseReference(text);
    if (!reference.ok) throw wrongName(`--tag ${reference.error}`, text);
    if (reference.value.digest !== undefined)
      throw wrongName(`--tag ${JSON.stringify(text)} has a digest`, text.replace(/@.*/s, ''));
  }
  return texts;
}

function wrongName(message: string, text: string): UsageError {
  const small = text.toLowerCase();
  return new UsageError(message, {
    expected: 'NAME[:TAG], for example registry.example.com/app:1.2',
    ...(parseReference(small).ok ? { suggestion: small } : {}),
  });
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
