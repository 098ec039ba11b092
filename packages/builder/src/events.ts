import type { Digest } from '@caisson/oci';
import type { RuleName } from '@caisson/parser';
import type { Arrival } from '@caisson/registry';
import type { RuntimeName } from '@caisson/runtime';
import type { Place } from './plan/planned.ts';
import type { MissReason } from './solve/miss-reason.ts';
import type { KeyRecord } from './solve/key.ts';
import type { Download } from './copy/remote-files.ts';
import type { FilesSoFar } from './file-progress.ts';
import type { GitProgress } from './git/git-progress.ts';
import type { WalkSoFar } from './walk-progress.ts';
import type { Failure } from './failure.ts';

/** A step as it is told of. */
export interface StepInfo {
  /** From 1, in the order of the Dockerfile. */
  readonly id: number;
  /** Where it stands: `build 2/5`; `2/5` in a Dockerfile of one stage. */
  readonly name: string;
  /** What its target is for, where several platforms are built for: `linux/arm64`. */
  readonly platform?: string;
  /** The instruction in one line. */
  readonly text: string;
  readonly place: Place;
}

/** Something to think about, which does not end the build. */
export interface Warning {
  /** The rule of the lint that it comes from. */
  readonly rule?: RuleName;
  readonly message: string;
  readonly place?: Place;
  readonly expected?: string;
  readonly suggestion?: string;
  readonly hint?: string;
  /** A document that says more. */
  readonly page?: string;
}

/** Everything that can be seen of a build. Whoever shows it needs nothing else. */
export type BuildEvent =
  /** The Dockerfile is read and planned: these are the steps that the target needs. */
  | { readonly kind: 'planned'; readonly target: string; readonly steps: readonly StepInfo[] }
  /** A base image is known. */
  | { readonly kind: 'base'; readonly name: string; readonly id: Digest; readonly from: BaseOrigin }
  /** A layer of a base image, or of a cache that lies elsewhere, is fetched; several times each, `received` growing. In bytes. */
  | {
      readonly kind: 'fetch';
      /** What it is of: `alpine:3`, `the cache registry.example.com/app:cache`. */
      readonly image: string;
      readonly digest: Digest;
      readonly received: number;
      readonly size: number;
      /** The store has it: nothing was fetched. Told by pulls alone. */
      readonly wasThere?: true;
    }
  /**
   * Files of a context are read, to know what is in them: told when that takes longer than a second; several times, and
   * when all are read.
   */
  | ({ readonly kind: 'read'; readonly context: string } & FilesSoFar)
  /**
   * A context is looked through, for what steps select of it: told when that takes longer than a second; several times. How many
   * files and folders there are is not known before.
   */
  | ({ readonly kind: 'walk'; readonly context: string } & WalkSoFar)
  /** A file is fetched from a URL: several times, and when it is there. */
  | ({ readonly kind: 'download' } & Download)
  /** git fetches a repository, and says how far it is. */
  | ({ readonly kind: 'git' } & GitProgress)
  /** A layer is compressed to be sent: several times each, `done` growing. In bytes, of the layer as it lies in the store. */
  | {
      readonly kind: 'compress';
      /** What it is sent to: the name, or what messages call the cache. */
      readonly name: string;
      /** Of the layer in the store. */
      readonly digest: Digest;
      readonly done: number;
      readonly size: number;
    }
  /** The cache has what the step gives. */
  | { readonly kind: 'step-cached'; readonly step: StepInfo; readonly key: Digest }
  /** It must run, for this reason. */
  | {
      readonly kind: 'step-started';
      readonly step: StepInfo;
      readonly key: Digest;
      readonly record: KeyRecord;
      readonly reason: MissReason;
    }
  | {
      readonly kind: 'step-output';
      readonly step: StepInfo;
      readonly stream: 'stdout' | 'stderr';
      readonly data: Uint8Array;
    }
  /** A step copies files: told when that takes longer than a second; several times, and when all are copied. */
  | ({ readonly kind: 'step-copying'; readonly step: StepInfo } & FilesSoFar)
  | {
      readonly kind: 'step-done';
      readonly step: StepInfo;
      /** In milliseconds. */
      readonly duration: number;
      /** It gave what it gave in an earlier build: what lies behind it stays cached. */
      readonly isSame: boolean;
    }
  | { readonly kind: 'step-failed'; readonly step: StepInfo; readonly duration: number }
  /** It was ended before it was done: another one failed, the build was cancelled, or an edit made it useless. */
  | { readonly kind: 'step-cancelled'; readonly step: StepInfo; readonly duration: number }
  /** The first RUN says what runs it. */
  | { readonly kind: 'isolation'; readonly runtime: RuntimeName; readonly network: 'host' | 'none' }
  | ({ readonly kind: 'warning' } & Warning)
  /** The records of a cache that lies elsewhere are known. */
  | { readonly kind: 'cache-imported'; readonly from: string; readonly records: number }
  /** A cache was written to another place. */
  | { readonly kind: 'cache-exported'; readonly to: string; readonly records: number }
  /** A blob of the image is in a registry. */
  | {
      readonly kind: 'transfer';
      readonly digest: Digest;
      /** In bytes. */
      readonly size: number;
      readonly arrival: Arrival;
    }
  /** The image is about to be sent to the registry of a name. */
  | { readonly kind: 'pushing'; readonly name: string }
  /** A blob is sent to the registry of a name, or to a cache; several times each, `sent` growing. In bytes. */
  | {
      readonly kind: 'send';
      /** The name, or what messages call the cache. */
      readonly name: string;
      readonly digest: Digest;
      readonly sent: number;
      readonly size: number;
    }
  /** The image is in the registry of a name. */
  | {
      readonly kind: 'pushed';
      readonly name: string;
      /** Of the manifest, as the registry has it. */
      readonly digest: Digest;
      readonly size: number;
    }
  /** The image is complete. */
  | {
      readonly kind: 'image';
      readonly id: Digest;
      readonly names: readonly string[];
      /** What its layers take as they lie in the store, in bytes. */
      readonly size: number;
      /** What it takes the place of. */
      readonly before?: EarlierImage;
      /** Whether the store has all of it, and names it. */
      readonly isStored: boolean;
    }
  /** The images for several platforms are complete. The store names none of them. */
  | {
      readonly kind: 'index';
      /** Of the index that lists them, with layers as they lie in the store. */
      readonly digest: Digest;
      readonly names: readonly string[];
      /** In the order in which they were asked for. */
      readonly images: readonly IndexedImage[];
    }
  /** An output is written. */
  | {
      readonly kind: 'output';
      readonly type: string;
      /** A path, or `-` for the standard output; none where a stream took it. */
      readonly destination?: string;
    }
  | { readonly kind: 'failed'; readonly failures: readonly Failure[] };

/** An image of several that were built for a platform each. */
export interface IndexedImage {
  /** `os/architecture[/variant]` */
  readonly platform: string;
  readonly id: Digest;
  /** What its layers take as they lie in the store, in bytes. */
  readonly size: number;
}

/** The image that had the name before; without a name, that of the last build of the same Dockerfile and target. */
export interface EarlierImage {
  readonly id: Digest;
  /** In bytes. */
  readonly size: number;
}

/** Where a base image was found. */
export type BaseOrigin = 'store' | 'remembered' | 'registry';

/** Takes events as they happen. */
export type Emit = (event: BuildEvent) => void;
