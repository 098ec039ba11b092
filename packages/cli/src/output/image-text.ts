import type { BuildEvent } from '@caisson/builder';
import { familiarName, parseReference } from '@caisson/oci';
import { size } from './format.ts';

type ImageEvent = Extract<BuildEvent, { kind: 'image' }>;

/** The names of an image as people write them. */
export function familiarNames({ names }: Pick<ImageEvent, 'names'>): string[] {
  return names.map((name) => {
    const reference = parseReference(name);
    return reference.ok ? familiarName(reference.value) : name;
  });
}

/** How large an image is, and what it grew by: `8.42 MB, 1.2 kB more than before`. */
export function sizeText({ id, size: bytes, before }: ImageEvent): string {
  if (before === undefined) return size(bytes);
  if (before.id === id) return `${size(bytes)}, the same image as before`;
  const grown = bytes - before.size;
  if (grown === 0) return `${size(bytes)}, as large as before`;
  return `${size(bytes)}, ${size(Math.abs(grown))} ${grown > 0 ? 'more' : 'less'} than before`;
}
