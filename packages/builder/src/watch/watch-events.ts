import type { BuildEvent } from '../events.ts';
import type { Failure } from '../failure.ts';
import type { BuildResult } from '../result.ts';
import type { WatchLimit } from './file-watcher.ts';

/** What a watch tells besides what its builds tell, and besides the images that they give. */
export type WatchNews =
  /** Something that the build depends on is different, and it is built again. */
  | {
      readonly kind: 'changed';
      /** Where, absolute; undefined where it is not known, or where there are too many. */
      readonly paths: readonly string[] | undefined;
    }
  /** The same while a build runs: what is useless of it by now is ended, and another build follows. */
  | {
      readonly kind: 'overtaken';
      readonly paths: readonly string[] | undefined;
      /** How many steps go on, because the next build needs what they give. */
      readonly kept: number;
    }
  /** A build failed. The next change builds again. */
  | { readonly kind: 'not-built'; readonly failures: readonly Failure[] }
  /** The kernel does not watch as much as there is: files are looked at every so often. */
  | { readonly kind: 'watch-limit'; readonly limit: WatchLimit; /** In seconds. */ readonly poll: number }
  /** There is nothing to do until something changes. */
  | { readonly kind: 'waiting' };

/** Everything that can be seen of a watch. */
export type WatchEvent =
  | BuildEvent
  | WatchNews
  /** A build gave an image. A build that gives what the one before gave, and ran nothing, is not told of. */
  | {
      readonly kind: 'built';
      readonly result: BuildResult;
      /** Whether it is another image than the one before; true for the first one. */
      readonly isNew: boolean;
      /** In milliseconds: since the first change that led to it; since it began, for the first one. */
      readonly duration: number;
    };
