import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BuildEvent } from '@caisson/builder';

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

/** So many files are a large context. */
const MANY_FILES = 50_000;

/**
 * Collects the heap once all files of a large context are read for the first time, and from there on whenever it has grown by
 * little more than half: with what is known of each file it would grow by a hundred MB more before that is done. Small
 * contexts would pay for it in time.
 */
export function collectAfterReading(event: BuildEvent): void {
  if (event.kind !== 'read' || event.allFiles < MANY_FILES || event.files < event.allFiles) return;
  setFlagsFromString('--heap-growing-percent=60');
  // What is allowed by now was said when the heap was collected last.
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
}
