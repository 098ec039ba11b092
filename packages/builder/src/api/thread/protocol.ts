import type {
  ArchiveRequest,
  BuildRequest,
  FolderRequest,
  LayoutRequest,
  SecretSource,
} from '../../request.ts';
import type { CheckedDockerfile, CheckRequest } from '../../check/check-dockerfile.ts';
import type { ContextPiece } from '../../context/given-context.ts';
import type { BuildEvent } from '../../events.ts';
import type { Failure } from '../../failure.ts';
import type { BuildPlan } from '../../plan-steps.ts';
import type { PulledImage } from '../../images/pull.ts';
import type { RunRequest } from '../../run/run-request.ts';
import type { Verified } from '../../verify/verify.ts';
import type { Credentials, RegistryOptions } from '@caisson/registry';
import type { Compression, Descriptor, Platform } from '@caisson/oci';
import type { EntryFilter, EntryUsage, KeptSpace, NamedImage, Pruned, Usage } from '@caisson/store';
import type { BuiltImage } from '../built-image.ts';
import type { PastBuild } from '../past-build.ts';
import type { WatchEvent } from '../watch-event.ts';

/*
 * What the caller's thread and the thread that works tell one another. Functions and streams stay with the caller: the
 * other side asks for what they give, when it needs it.
 */

/** How registries are reached; credentials are asked for. */
export type WireRegistry = Pick<RegistryOptions, 'mirrors'> & { readonly asksForCredentials: boolean };

/** What a request is without what cannot travel. */
type Wired<Request> = Omit<Request, 'context' | 'secrets' | 'registry' | 'signal'> & {
  readonly registry: WireRegistry;
};

/** What to check. */
export type WireCheck = Wired<CheckRequest> & {
  /** Undefined for one that is asked for. */
  readonly context: string | undefined;
};

/** What to build. */
export type WireBuild = Omit<Wired<BuildRequest>, 'outputs'> & {
  readonly context: string | undefined;
  readonly outputs?: readonly WireOutput[];
  readonly secrets: Readonly<
    Record<string, Exclude<SecretSource, { kind: 'function' }> | { readonly kind: 'asked' }>
  >;
};

/** Where an image goes: a path, or what the caller gave with the option of a path. */
export type WireOutput =
  | ((Omit<LayoutRequest, 'destination'> | Omit<ArchiveRequest, 'destination'>) & {
      readonly destination: string | { readonly option: string };
    })
  | FolderRequest;

/** What to build whenever something of it changes. */
export type WireWatch = WireBuild & { readonly context: string; readonly poll?: number };

/** What to run. */
export type WireRun = Omit<Wired<RunRequest>, 'onOutput' | 'input'> & {
  readonly hasInput: boolean;
  /** What the caller gave for what the program writes: the paths of the options. */
  readonly taken: { readonly stdout?: string; readonly stderr?: string };
};

/** What the thread is to do. */
export type Job =
  | { readonly kind: 'build'; readonly request: WireBuild }
  | { readonly kind: 'plan'; readonly request: WireBuild }
  | { readonly kind: 'watch'; readonly request: WireWatch }
  | { readonly kind: 'check'; readonly request: WireCheck }
  | { readonly kind: 'run'; readonly request: WireRun }
  | StoreJob;

/** Something to do with a store. */
export type StoreJob = { readonly root: string } & (
  | { readonly kind: 'open' }
  | { readonly kind: 'images' }
  | { readonly kind: 'image'; readonly image: string }
  | { readonly kind: 'builds'; readonly most: number }
  | { readonly kind: 'usage' }
  | { readonly kind: 'entries' }
  | { readonly kind: 'tag'; readonly image: string; readonly name: string }
  | { readonly kind: 'remove'; readonly image: string; readonly isForced: boolean }
  | {
      readonly kind: 'prune';
      readonly unusedFor?: number;
      readonly keep?: KeptSpace;
      readonly filter: EntryFilter;
      readonly isDryRun: boolean;
    }
  | { readonly kind: 'verify'; readonly isRepair: boolean }
  | {
      readonly kind: 'pull';
      readonly name: string;
      readonly platform?: Platform;
      readonly registry: WireRegistry;
    }
  | {
      readonly kind: 'push';
      readonly name: string;
      readonly compression?: Compression;
      readonly registry: WireRegistry;
    }
);

/** What came of it. */
export type Outcome =
  | { readonly kind: 'build'; readonly value: BuiltImage }
  | { readonly kind: 'plan'; readonly value: BuildPlan }
  | { readonly kind: 'watch' }
  | { readonly kind: 'check'; readonly value: CheckedDockerfile }
  | { readonly kind: 'run'; readonly value: number }
  | { readonly kind: 'open' }
  | { readonly kind: 'images'; readonly value: readonly NamedImage[] }
  | { readonly kind: 'image'; readonly value: NamedImage }
  | { readonly kind: 'builds'; readonly value: readonly PastBuild[] }
  | { readonly kind: 'usage'; readonly value: readonly Usage[] }
  | { readonly kind: 'entries'; readonly value: readonly EntryUsage[] }
  | { readonly kind: 'tag' }
  | { readonly kind: 'remove'; readonly value: readonly string[] }
  | { readonly kind: 'prune'; readonly value: Pruned }
  | { readonly kind: 'verify'; readonly value: Verified }
  | { readonly kind: 'pull'; readonly value: PulledImage }
  | { readonly kind: 'push'; readonly value: Descriptor };

/** What the thread needs of the caller to go on. */
export type Question =
  | { readonly kind: 'secret'; readonly id: string }
  | { readonly kind: 'credentials'; readonly registry: string }
  /** The next part of the context. */
  | { readonly kind: 'context' }
  /** More of what a program reads. */
  | { readonly kind: 'input' }
  /** Bytes for what the option of a path takes; answered when it may be given more. */
  | { readonly kind: 'write'; readonly path: string; readonly bytes: Uint8Array }
  /** There are no more; answered when it has all of them. */
  | { readonly kind: 'write-end'; readonly path: string };

export type Answer =
  | { readonly kind: 'secret'; readonly bytes: Uint8Array }
  | { readonly kind: 'credentials'; readonly credentials: Credentials | undefined }
  | { readonly kind: 'context'; readonly part: ContextPart }
  /** Undefined: that was all. */
  | { readonly kind: 'input'; readonly bytes: Uint8Array | undefined }
  | { readonly kind: 'written' }
  /** The caller's function failed. */
  | { readonly kind: 'error'; readonly message: string };

/** A part of a context: bytes of an archive, or files; then the end. */
export type ContextPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'pieces'; readonly pieces: readonly ContextPiece[] }
  | { readonly kind: 'end' };

/** What the caller tells the thread. */
export type ToThread =
  | { readonly kind: 'begin'; readonly id: number; readonly job: Job }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly question: number; readonly answer: Answer };

/** What the thread tells the caller. */
export type FromThread = { readonly id: number } &
  /** A text that places in what follows refer to. */
  (
    | { readonly kind: 'source'; readonly source: number; readonly text: string }
    | { readonly kind: 'event'; readonly event: BuildEvent }
    | { readonly kind: 'watch-event'; readonly event: WatchEvent }
    | { readonly kind: 'output'; readonly stream: 'stdout' | 'stderr'; readonly data: Uint8Array }
    | { readonly kind: 'question'; readonly question: number; readonly asked: Question }
    | { readonly kind: 'done'; readonly outcome: Outcome }
    | { readonly kind: 'failed'; readonly failures: readonly Failure[] }
    /** Something that should not happen. */
    | { readonly kind: 'bug'; readonly error: unknown }
  );

/** Whether a value that came over the port is a message of the caller. Both sides are of one Caisson. */
export function isToThread(value: unknown): value is ToThread {
  return typeof value === 'object' && value !== null && 'kind' in value && 'id' in value;
}

/** Whether a value that came over the port is a message of the thread. */
export function isFromThread(value: unknown): value is FromThread {
  return typeof value === 'object' && value !== null && 'kind' in value && 'id' in value;
}
