import { constants } from 'node:os';

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

/** Names of signals, for a suggestion. */
export function signalNames(): string[] {
  return Object.keys(constants.signals);
}
