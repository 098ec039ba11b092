import { closeSync, constants, openSync } from 'node:fs';
import { ioctl, ioctlOfNumber } from './ioctl.ts';
import { libcFunction } from './libc.ts';

const tcgetattr = libcFunction('int tcgetattr(int fd, uint8_t *termios)');
const tcsetattr = libcFunction('int tcsetattr(int fd, int when, const uint8_t *termios)');
const cfmakeraw = libcFunction('void cfmakeraw(uint8_t *termios)');

const TIOCSCTTY = 0x540e;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const TIOCGPTPEER = 0x5441;
const TIOCSPTLCK = 0x4004_5431;
/** At once: a terminal that shows nothing more must not hold anybody up. */
const TCSANOW = 0;
/** More than the structure takes in any C library. */
const TERMIOS_SIZE = 128;
const WINSIZE_SIZE = 8;
const INT_SIZE = 4;
const O_CLOEXEC = 0o2000000;

/** Descriptors of both ends of a pseudoterminal, pty(7). */
export interface Pseudoterminal {
  /** The end of whoever shows the terminal. */
  readonly master: number;
  /** The end that is a terminal for programs. */
  readonly slave: number;
}

/** Makes a pseudoterminal. It is nobody's controlling terminal yet. */
export function openPseudoterminal(): Pseudoterminal {
  const flags = constants.O_RDWR | constants.O_NOCTTY | O_CLOEXEC;
  const master = openSync('/dev/ptmx', flags);
  try {
    ioctl([master, TIOCSPTLCK, Buffer.alloc(INT_SIZE)]);
    return { master, slave: ioctlOfNumber([master, TIOCGPTPEER, flags]) };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** Makes a terminal the controlling one of the session that this process leads. */
export function takeTerminal(terminal: number): void {
  ioctlOfNumber([terminal, TIOCSCTTY, 0]);
}

/** Gives a terminal the size of another one; the kernel tells the programs in it. */
export function copyWindowSize(from: number, to: number): void {
  const size = Buffer.alloc(WINSIZE_SIZE);
  ioctl([from, TIOCGWINSZ, size]);
  ioctl([to, TIOCSWINSZ, size]);
}

/**
 * Lets a terminal pass on every byte in both directions as it is: no echo, no lines, no signals. Node's own way leaves it
 * to make two bytes of each line feed that is written.
 * @returns takes that back
 */
export function makeRaw(terminal: number): () => void {
  const before = Buffer.alloc(TERMIOS_SIZE);
  tcgetattr([terminal, before]);
  const raw = Buffer.from(before);
  cfmakeraw([raw]);
  tcsetattr([terminal, TCSANOW, raw]);
  return () => tcsetattr([terminal, TCSANOW, before]);
}
