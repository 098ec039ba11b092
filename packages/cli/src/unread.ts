/*
 * Nobody reads any more what a command writes (`caisson build | head`). The kernel's signal for it is not listened to: it
 * comes for every pipe that is closed, that of a program which decompresses a layer, say.
 */

const waiting = new Set<() => void>();

/** Calls a function when that happens, until it is disposed of. */
export function onUnread(end: () => void): Disposable {
  waiting.add(end);
  return { [Symbol.dispose]: () => void waiting.delete(end) };
}

/** Says that it happened; each further write may say it again. @returns whether somebody ends in order now */
export function tellUnread(): boolean {
  for (const end of waiting) end();
  return waiting.size > 0;
}
