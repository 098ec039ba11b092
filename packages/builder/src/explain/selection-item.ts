import { isDigest, isJsonArray, type Digest, type Json } from '@caisson/oci';
import type { FileField } from '../solve/miss-reason.ts';

/** An item of a list in a selection, read again: see selection-digest.ts, which writes them. */
export interface SelectionItem {
  /** Bytes, each a character. */
  readonly name: string;
  readonly type: string;
  /** What counts of it, as it is shown. */
  readonly fields: ReadonlyMap<FileField['field'], string>;
  /** Of a folder, the digest of the list of what is in it. */
  readonly list: Digest | undefined;
}

/** An item; undefined for what is none. */
export function readItem(json: Json): SelectionItem | undefined {
  if (!isJsonArray(json)) return undefined;
  const [name, type, ...rest] = json;
  if (typeof name !== 'string' || typeof type !== 'string') return undefined;
  const more = rest.filter((each) => typeof each === 'object' && each !== null && !isJsonArray(each));
  const plain = rest.filter((each) => typeof each !== 'object' || each === null);
  const fields = new Map<FileField['field'], string>();
  for (const members of more) {
    for (const [member, value] of Object.entries(members ?? {})) {
      if (member === 'owner' && typeof value === 'string') fields.set('owner', value);
      if (member === 'xattrs') fields.set('xattrs', JSON.stringify(value));
      if (member === 'above') fields.set('parents', JSON.stringify(value));
    }
  }
  const [first, second, third] = plain;
  let list: Digest | undefined;
  if (type === 'symlink') fields.set('target', String(first));
  else if (type === 'hardlink') fields.set('link', String(first));
  else fields.set('mode', octal(first));
  if (type === 'file') fields.set('content', `${String(second)} ${String(third)}`);
  if (type === 'char' || type === 'block') fields.set('device', `${String(second)}:${String(third)}`);
  if (type === 'directory' && typeof second === 'string' && isDigest(second)) list = second;
  return { name, type, fields, list };
}

function octal(mode: Json | undefined): string {
  return `0${Number(mode).toString(8).padStart(3, '0')}`;
}
