import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the part of the heap where objects are made as small as it is now, a few MB. It would double until it takes 50 MB
 * and more, as soon as many objects live on, which those of a build with a large context do: they are known by then not
 * to be garbage, and copying them to and fro gains nothing.
 */
export function keepHeapSmall(): void {
  // The limit on its size is read when the process starts; by how much it grows, each time.
  setFlagsFromString('--semi-space-growth-factor=1');
}

/**
 * Lets it grow again, to some 50 MB: what builds again and again makes as much garbage each time, and collecting that in a
 * small part takes a sixth of the time between an edit and its image.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
