import { readFile } from 'node:fs/promises';
import { digestOf } from '@caisson/oci';

const SEAL = /,"seal":"(sha256:[0-9a-f]{64})"\}$/;

/** A document that has no digest for a name, as JSON with the digest of all of it at its end. */
export function seal(document: object): string {
  const text = JSON.stringify(document);
  return `${text.slice(0, -1)},"seal":"${digestOf(text)}"}`;
}

/** Reads what {@link seal} gave. Undefined where it cannot be read or is not what was written. */
export async function readSealed(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  const written = text.replace(SEAL, '}');
  if (SEAL.exec(text)?.[1] !== digestOf(written)) return undefined;
  const document: unknown = JSON.parse(written);
  return document;
}
