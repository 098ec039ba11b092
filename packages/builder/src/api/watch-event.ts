import type { BuildEvent } from '../events.ts';
import type { LostEvents } from './event-bounds.ts';
import type { WatchNews } from '../watch/watch-events.ts';
import type { BuiltImage } from './built-image.ts';

/** Everything that can be seen of a watch: what its builds tell, and what becomes of them. */
export type WatchEvent =
  | BuildEvent
  | LostEvents
  | WatchNews
  /** A build gave an image. A build that gives what the one before gave, and ran nothing, is not told of. */
  | {
      readonly kind: 'built';
      readonly image: BuiltImage;
      /** Whether it is another image than the one before; true for the first one. */
      readonly isNew: boolean;
      /** In milliseconds: since the first change that led to it; since it began, for the first one. */
      readonly duration: number;
    };
