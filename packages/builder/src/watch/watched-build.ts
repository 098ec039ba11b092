import type { Digest } from '@caisson/oci';
import { buildImage } from '../build.ts';
import type { Failure } from '../failure.ts';
import { failuresOf } from '../failure-of.ts';
import type { PreparedBuild } from '../prepare.ts';
import type { BuildRequest } from '../request.ts';
import type { BuildResult } from '../result.ts';
import type { Site } from '../site.ts';
import type { StepKey } from '../solve/key.ts';
import type { Solver } from '../solve/solver.ts';
import type { FileState } from '../state.ts';
import type { Changes } from './changes.ts';
import type { Announcer } from './announcer.ts';
import { neededKeys } from './needed-keys.ts';
import type { RunningBuild } from './watch-loop.ts';

/** What a build of a watch is told. */
export interface WatchedBuildParts {
  readonly request: BuildRequest;
  readonly site: Site;
  readonly announcer: Announcer;
  /** Begins to watch what the build will read. */
  readonly watch: (prepared: PreparedBuild) => Promise<void>;
  readonly isDelivered: (imageId: Digest) => boolean;
  /** Whether another build follows in any case. */
  readonly isOvertaken: () => boolean;
  readonly onBuilt: (result: BuildResult) => void;
  readonly onFailed: (failures: readonly Failure[]) => void;
  /** Something changed, and what of it is not needed any more was ended. */
  readonly onOvertaken: (changes: Changes, kept: number) => void;
  /** It came to nothing, because something changed. */
  readonly onSuperseded: () => void;
}

/** One build of a watch. */
export class WatchedBuild implements RunningBuild {
  readonly ended: Promise<void>;
  readonly #parts: WatchedBuildParts;
  readonly #abort = new AbortController();
  readonly #background: Promise<void>[] = [];
  #solver: Solver<FileState> | undefined;

  /** Begins. */
  constructor(parts: WatchedBuildParts) {
    this.#parts = parts;
    this.ended = this.#build();
  }

  abort(): void {
    this.#abort.abort();
  }

  /** What runs is ended unless a build that began now would run it, too: then its result is what that one will find. */
  retire(changes: Changes): void {
    this.#solver?.retire(this.#solver.executing);
    const done = this.#endUseless(changes);
    done.catch(() => {}); // told when the build has ended
    this.#background.push(done);
  }

  async #endUseless(changes: Changes): Promise<void> {
    const { request, onOvertaken } = this.#parts;
    const isRunning = (this.#solver?.executing.size ?? 0) > 0;
    const needed = isRunning ? await neededKeys(request, this.#abort.signal) : new Set<StepKey>();
    this.#solver?.retire(needed);
    const kept = [...(this.#solver?.executing ?? [])].filter((key) => needed.has(key)).length;
    if (kept === 0) this.abort();
    onOvertaken(changes, kept);
  }

  async #build(): Promise<void> {
    const { request, site, announcer, watch, isDelivered, isOvertaken, onBuilt, onFailed, onSuperseded } =
      this.#parts;
    const { signal } = this.#abort;
    try {
      await site.begin();
      const result = await buildImage({ ...request, signal }, (event) => announcer.take(event), {
        site,
        onPrepared: watch,
        onSolve: (solver) => {
          this.#solver = solver;
        },
        isDelivered,
        isReported: () => announcer.isAnnounced,
      });
      onBuilt(result);
    } catch (error) {
      const failures = failuresOf(error);
      if (failures === undefined) throw error;
      // It was told to end, or failed on files that somebody is just writing: the next build will tell.
      if (signal.aborted || isOvertaken()) onSuperseded();
      else onFailed(failures);
    } finally {
      this.#solver = undefined;
      await Promise.all(this.#background);
    }
  }
}
