import type { Registry } from '../../test/rig/registry.ts';
import type { Builder } from './builders.ts';
import type { Measured } from './measure.ts';

/** What works are prepared with. */
export interface Bench {
  /** An empty folder of this work's own, which every builder can see. */
  readonly folder: string;
  readonly registry: Registry;
  /** A minimal Debian on that registry. */
  readonly base: string;
  /** An empty folder on a journaled file system. */
  readonly stores: string;
  /** Says something of us that is no time: a line of its own in the table. The last round is the one that counts. */
  readonly note: (title: string, value: string) => void;
}

/** Something that builders do, and what of it is timed. */
export interface Work {
  /** What `--work` names. */
  readonly id: string;
  readonly title: string;
  /** What each round measures. */
  readonly columns: readonly string[];
  /** Whether it takes minutes: left out unless it is named, or all are asked for. */
  readonly isSlow?: boolean;
  /** Whether it says something of us alone. */
  readonly isOurs?: boolean;
  /** What is said of builders that cannot do it. */
  readonly absent?: string;
  /** What the medians of the columns say together. */
  readonly derived?: { readonly title: string; readonly of: (seconds: readonly number[]) => string };
  /** Makes what the rounds need. */
  readonly prepare: (bench: Bench) => Promise<Round>;
}

/** One round of one builder: a measurement for each column; undefined for what this builder cannot do. */
export type Round = (builder: Builder) => Promise<readonly (Measured | undefined)[]>;
