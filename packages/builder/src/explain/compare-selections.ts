import { bytesOf, childOf, cleanPath, textOf, type BytePath } from '@caisson/layer';
import type { Digest, Json } from '@caisson/oci';
import { readItem, type SelectionItem } from './selection-item.ts';
import type { FileChange, FileField } from '../solve/miss-reason.ts';

/** Looks up what a digest was made from, as JSON. */
export type PartReader = (digest: Digest) => Json | undefined;

/**
 * Compares two selections from the top down; only folders whose digests differ are entered.
 * @param titles what the things of the later selection are called, in order; things of the earlier one go by their names
 * @returns undefined where one of them is no longer known
 */
export function compareSelections(
  before: Digest,
  after: Digest,
  titles: readonly string[],
  read: PartReader,
): FileChange[] | undefined {
  const [old, now] = [itemsOf(before, read), itemsOf(after, read)];
  if (old === undefined || now === undefined) return undefined;
  const comparison = new Comparison(read);
  const left = [...old];
  for (const [index, item] of now.entries()) {
    const path = cleanPath(bytesOf(titles[index] ?? textOf(item.name)));
    // A name may stand there twice: those of two folders, say.
    const at = left.findIndex(({ name }) => name === item.name);
    const [same] = at === -1 ? [] : left.splice(at, 1);
    comparison.compare(path, same, item);
  }
  for (const item of left) comparison.compare(cleanPath(item.name), item, undefined);
  return comparison.changes;
}

/** An imported cache may name folders without end, one in another or beside another. What is beyond is told as a whole. */
const MOST_DEPTH = 256;
const MOST_FOLDERS = 100_000;

class Comparison {
  readonly changes: FileChange[] = [];
  readonly #read: PartReader;
  #entered = 0;

  constructor(read: PartReader) {
    this.#read = read;
  }

  compare(
    path: BytePath,
    before: SelectionItem | undefined,
    after: SelectionItem | undefined,
    depth = 0,
  ): void {
    if (before === undefined || after === undefined) {
      const isFolder = (before ?? after)?.type === 'directory';
      const change = before === undefined ? 'added' : 'removed';
      this.changes.push({ path: `${textOf(path)}${isFolder ? '/' : ''}`, change, fields: [] });
      return;
    }
    const fields = fieldsThatDiffer(before, after);
    const [old, now] = [before.list, after.list];
    const areLists = old !== undefined && now !== undefined && old !== now;
    const isKnown = areLists && depth < MOST_DEPTH && this.#compareLists(path, old, now, depth + 1);
    if (areLists && !isKnown) fields.push({ field: 'content' });
    if (fields.length > 0) this.changes.push({ path: textOf(path) || '.', change: 'changed', fields });
  }

  #compareLists(path: BytePath, before: Digest, after: Digest, depth: number): boolean {
    this.#entered++;
    if (this.#entered > MOST_FOLDERS) return false;
    const [old, now] = [itemsOf(before, this.#read), itemsOf(after, this.#read)];
    if (old === undefined || now === undefined) return false;
    const byName = new Map(old.map((item) => [item.name, item]));
    for (const item of now) {
      this.compare(childOf(path, item.name), byName.get(item.name), item, depth);
      byName.delete(item.name);
    }
    for (const [name, item] of byName) this.compare(childOf(path, name), item, undefined);
    return true;
  }
}

function fieldsThatDiffer(before: SelectionItem, after: SelectionItem): FileField[] {
  if (before.type !== after.type) return [{ field: 'type', before: before.type, after: after.type }];
  const names = new Set([...before.fields.keys(), ...after.fields.keys()]);
  const fields: FileField[] = [];
  for (const field of names) {
    const [old, now] = [before.fields.get(field), after.fields.get(field)];
    if (old === now) continue;
    if (field === 'content') fields.push({ field });
    else
      fields.push({
        field,
        ...(old === undefined ? {} : { before: old }),
        ...(now === undefined ? {} : { after: now }),
      });
  }
  return fields;
}

function itemsOf(digest: Digest, read: PartReader): SelectionItem[] | undefined {
  const list = read(digest);
  if (!Array.isArray(list)) return undefined;
  const items = list.map(readItem);
  return items.every((item) => item !== undefined) ? items : undefined;
}
