import { merged, type Changes } from './changes.ts';

/**
 * What a watch is doing.
 *
 * ```
 *              changed             quiet
 *   watching ──────────▶ gathering ──────▶ building ─┐
 *      ▲                    ▲ ▲ └ changed            │ changed
 *      │ ended              │ └── ended ──────────┐  ▼
 *      ├────────────────────┼──────────────── overtaken ◀┐
 *      │                    │                     │ quiet│ changed
 *   building ◀── ended ─────┼───────────────── retiring ─┘
 *
 *   close: watching, gathering ──▶ closed; building, overtaken, retiring ──▶ closing ── ended ──▶ closed
 * ```
 *
 * A build runs in `building`, `overtaken`, `retiring` and `closing`; a timer runs in `gathering` and `overtaken`.
 */
export type WatchState =
  /** Waits for a change. */
  | { readonly kind: 'watching' }
  /** Something changed: waits until that is over. */
  | { readonly kind: 'gathering'; readonly changes: Changes }
  /** Builds what was there when the build began. */
  | { readonly kind: 'building' }
  /** Something changed while it builds: waits until that is over. */
  | { readonly kind: 'overtaken'; readonly changes: Changes }
  /** What was useless of the build was ended: waits for the rest of it. */
  | { readonly kind: 'retiring'; readonly changes: Changes }
  /** The build was told to end, for good. */
  | { readonly kind: 'closing' }
  | { readonly kind: 'closed' };

/** What happens to a watch. */
export type WatchInput =
  /** Something that the build depends on changed. */
  | { readonly kind: 'changed'; readonly changes: Changes; readonly now: number }
  /** The timer ran out. */
  | { readonly kind: 'quiet' }
  /** The build ended, in whatever way. */
  | { readonly kind: 'ended' }
  /** Nobody wants to watch any more. */
  | { readonly kind: 'close' };

/** What is to be done. */
export type WatchAction =
  /** Sets the timer, in milliseconds from now; one that runs is set anew. */
  | { readonly kind: 'wait'; readonly for: number }
  | { readonly kind: 'stop-waiting' }
  /** Begins a build. */
  | { readonly kind: 'build'; readonly changes: Changes }
  /** Ends what the changes made useless of the build that runs, and lets it begin nothing more. */
  | { readonly kind: 'retire'; readonly changes: Changes }
  /** Ends the build that runs. */
  | { readonly kind: 'abort' }
  /** There is nothing to do until something changes. */
  | { readonly kind: 'rest' }
  /** It is over. */
  | { readonly kind: 'finish' };

/** A watch begins with a build. */
export const FIRST_STATE: WatchState = { kind: 'building' };

/** What comes of an input in a state. */
export function next(state: WatchState, input: WatchInput): readonly [WatchState, ...WatchAction[]] {
  switch (state.kind) {
    case 'watching':
      return whileWatching(state, input);
    case 'gathering':
      return whileGathering(state, input);
    case 'building':
      return whileBuilding(state, input);
    case 'overtaken':
      return whileOvertaken(state, input);
    case 'retiring':
      return whileRetiring(state, input);
    case 'closing':
      return whileClosing(state, input);
    case 'closed':
      return [state];
  }
}

type In<Kind extends WatchState['kind']> = Extract<WatchState, { kind: Kind }>;
type Next = readonly [WatchState, ...WatchAction[]];

const CLOSED: Next = [{ kind: 'closed' }, { kind: 'finish' }];

function whileWatching(state: In<'watching'>, input: WatchInput): Next {
  switch (input.kind) {
    case 'changed':
      return [{ kind: 'gathering', changes: input.changes }, waitFor(input.changes, input.now)];
    case 'quiet':
    case 'ended':
      throw impossible(state, input);
    case 'close':
      return CLOSED;
  }
}

function whileGathering(state: In<'gathering'>, input: WatchInput): Next {
  switch (input.kind) {
    case 'changed': {
      const changes = merged(state.changes, input.changes);
      return [{ kind: 'gathering', changes }, waitFor(changes, input.now)];
    }
    case 'quiet':
      return [{ kind: 'building' }, { kind: 'build', changes: state.changes }];
    case 'ended':
      throw impossible(state, input);
    case 'close':
      return [{ kind: 'closed' }, { kind: 'stop-waiting' }, { kind: 'finish' }];
  }
}

function whileBuilding(state: In<'building'>, input: WatchInput): Next {
  switch (input.kind) {
    case 'changed':
      return [{ kind: 'overtaken', changes: input.changes }, waitFor(input.changes, input.now)];
    case 'quiet':
      throw impossible(state, input);
    case 'ended':
      return [{ kind: 'watching' }, { kind: 'rest' }];
    case 'close':
      return [{ kind: 'closing' }, { kind: 'abort' }];
  }
}

function whileOvertaken(state: In<'overtaken'>, input: WatchInput): Next {
  const { changes } = state;
  switch (input.kind) {
    case 'changed': {
      const all = merged(changes, input.changes);
      return [{ kind: 'overtaken', changes: all }, waitFor(all, input.now)];
    }
    case 'quiet':
      return [
        { kind: 'retiring', changes },
        { kind: 'retire', changes },
      ];
    case 'ended':
      // The timer runs on.
      return [{ kind: 'gathering', changes }];
    case 'close':
      return [{ kind: 'closing' }, { kind: 'stop-waiting' }, { kind: 'abort' }];
  }
}

function whileRetiring(state: In<'retiring'>, input: WatchInput): Next {
  const { changes } = state;
  switch (input.kind) {
    case 'changed': {
      // What runs may be useless by now. How long was waited for the earlier ones does not count.
      const all = { ...merged(changes, input.changes), since: input.changes.since };
      return [{ kind: 'overtaken', changes: all }, waitFor(all, input.now)];
    }
    case 'quiet':
      throw impossible(state, input);
    case 'ended':
      return [{ kind: 'building' }, { kind: 'build', changes }];
    case 'close':
      return [{ kind: 'closing' }, { kind: 'abort' }];
  }
}

function whileClosing(state: In<'closing'>, input: WatchInput): Next {
  switch (input.kind) {
    case 'changed':
    case 'close':
      return [state];
    case 'quiet':
      throw impossible(state, input);
    case 'ended':
      return CLOSED;
  }
}

/** An editor saves in a moment; a program that writes many files pauses between them. */
const FEW = { most: 10, after: 15, longest: 1000 };
const MANY = { after: 100, longest: 5000 };

/** Until nothing more has changed for a moment. Whoever writes without a pause is not waited for for ever. */
function waitFor({ paths, since }: Changes, now: number): WatchAction {
  const { after, longest } = paths !== 'everything' && paths.size <= FEW.most ? FEW : MANY;
  return { kind: 'wait', for: Math.min(after, Math.max(0, since + longest - now)) };
}

function impossible(state: WatchState, input: WatchInput): Error {
  return new Error(`Internal error: ${input.kind} while ${state.kind}`);
}
