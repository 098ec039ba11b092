import { CaissonError } from './error.ts';

/** How much of its events an iterator may leave untaken before some are lost. */
export interface EventBounds<Event> {
  /** In bytes, of all events that may be lost. */
  readonly most: number;
  /** What an event takes in bytes; 0 for one that is never lost. */
  readonly sizeOf: (event: Event) => number;
  /** What an iterator gets in the place of some that were lost. */
  readonly instead: (count: number) => Event;
}

/**
 * An iterator left so much untaken that some events were not kept: of what steps wrote, and of how far something is. The log
 * of a step has all that it wrote.
 */
export interface LostEvents {
  readonly kind: 'lost';
  /** How many events. */
  readonly count: number;
}

/** As much as may wait for an iterator, in bytes. */
const MOST_WAITING = 16 << 20;

/** What an event takes besides its output, about. */
const EVENT_SIZE = 256;

/** All are kept: for events that are taken at once. */
export const UNBOUNDED = { most: Infinity, sizeOf: (): number => 0, instead: notLost };

function notLost(): never {
  throw new Error('Internal error: an event was lost');
}

/** Those of builds and watches. */
export const BUILD_BOUNDS = {
  most: MOST_WAITING,
  sizeOf(event: { readonly kind: string; readonly data?: Uint8Array }): number {
    switch (event.kind) {
      case 'step-output':
        return EVENT_SIZE + (event.data?.length ?? 0);
      case 'compress':
      case 'download':
      case 'fetch':
      case 'git':
      case 'walk':
      case 'read':
      case 'send':
      case 'step-copying':
        return EVENT_SIZE;
      default:
        return 0;
    }
  },
  instead: (count: number): LostEvents => ({ kind: 'lost', count }),
};

/** Those of a program that runs. Nothing else has what it wrote: to go on without it would be wrong. */
export const OUTPUT_BOUNDS = {
  most: MOST_WAITING,
  sizeOf: ({ data }: { readonly data: Uint8Array }): number => EVENT_SIZE + data.length,
  instead(): never {
    throw new CaissonError([
      {
        code: 'output',
        message: `what the program wrote was not taken in time: more than ${MOST_WAITING >> 20} MiB of it waited`,
        hint: 'take it as it comes, or have the program write to a file of a volume',
      },
    ]);
  },
};
