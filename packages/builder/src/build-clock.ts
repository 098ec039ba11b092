import { clampTime, timeOf } from '@caisson/layer';
import type { Time } from '@caisson/sys';

/**
 * The times that a build gives to what it makes. With SOURCE_DATE_EPOCH none of them is later, so that two builds of
 * the same sources are the same to the byte.
 * @see https://reproducible-builds.org/docs/source-date-epoch/
 */
export class BuildClock {
  /** No time of a file, history entry or config is later; undefined where that does not matter. */
  readonly latest: Time | undefined;

  /** @param sourceDateEpoch in seconds since 1970 */
  constructor(sourceDateEpoch: number | undefined) {
    this.latest = sourceDateEpoch === undefined ? undefined : { seconds: sourceDateEpoch, nanoseconds: 0 };
  }

  /** The time of a file or folder that is made now. */
  now(): Time {
    return clampTime(timeOf(BigInt(Date.now()) * 1_000_000n), this.latest);
  }

  /** The time of a step that runs now, RFC 3339. */
  created(): string {
    return this.clamp(new Date().toISOString());
  }

  /** The earlier of a time (RFC 3339) and the latest that may be. */
  clamp(time: string): string {
    if (this.latest === undefined) return time;
    const limit = this.latest.seconds * 1000;
    return Date.parse(time) > limit ? new Date(limit).toISOString() : time;
  }
}
