import { constants } from 'node:os';
import { suggest } from '@caisson/parser';

const HIGHEST_SIGNAL = 64;

/** Whether STOPSIGNAL may name a signal this way: a number, or a name with or without `SIG`. */
export function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= HIGHEST_SIGNAL;
  const name = text.toUpperCase().replace(/^SIG/, '');
  return (
    Object.hasOwn(constants.signals, `SIG${name}`) ||
    /^RT(?:MIN(?:\+(?:\d|1[0-5]))?|MAX(?:-(?:\d|1[0-4]))?)$/.test(name)
  );
}

/** The signal that was most likely meant. `SIG`, which all begin with, makes none more likely. */
export function nearestSignal(text: string): string | undefined {
  const names = [...Object.keys(constants.signals), 'SIGRTMIN', 'SIGRTMAX'];
  const near = suggest(
    text.replace(/^SIG/i, ''),
    names.map((name) => name.slice('SIG'.length)),
  );
  return near === undefined ? undefined : `SIG${near}`;
}
