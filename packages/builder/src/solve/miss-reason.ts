import type { Digest, Json } from '@caisson/oci';

/** Why a step runs, and is not taken from the cache. */
export type MissReason =
  /** Nothing like it has run, as far as is known. */
  | { readonly kind: 'no-record' }
  /** It has run, but what it gave is no longer there. */
  | { readonly kind: 'evicted' }
  /** A cache that lies elsewhere had it in an earlier build; nothing needed it, so it was not fetched. */
  | { readonly kind: 'not-fetched' }
  /** A cache that lies elsewhere had it, but its layer cannot be had. */
  | { readonly kind: 'lost' }
  /** It was asked for. */
  | { readonly kind: 'no-cache' }
  /** It differs from the step that it is most like. */
  | {
      readonly kind: 'changed';
      /** The key of that one. */
      readonly than: Digest;
      /** What that one was built of, where it is something else: another folder, or URL. */
      readonly context?: string | undefined;
      /** What differs; what says most comes first. */
      readonly changes: readonly Change[];
    };

/** Something that two key records have differently. */
export type Change =
  | {
      readonly kind: 'files';
      /** Where they stand in the key record: `selection` or `mounts`. */
      readonly field: string;
      readonly files: readonly FileChange[];
      /** How many more there were, in the report of a build, which keeps the first thousand. */
      readonly more?: number | undefined;
    }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly isArg: boolean;
      readonly before?: string | undefined;
      readonly after?: string | undefined;
    }
  /** The files before the step. */
  | { readonly kind: 'state'; readonly by?: StateCause | undefined }
  | {
      readonly kind: 'field';
      readonly field: string;
      readonly before?: Json | undefined;
      readonly after?: Json | undefined;
    };

/** What made the files before a step others. */
export type StateCause =
  | { readonly kind: 'step'; readonly id: number; readonly text: string }
  | { readonly kind: 'base' };

/** A file that a step selects and that differs. */
export interface FileChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** What of it differs; empty where it is new or gone. */
  readonly fields: readonly FileField[];
}

/** What of a file differs. Modes are octal. */
export interface FileField {
  readonly field: 'content' | 'mode' | 'type' | 'owner' | 'target' | 'device' | 'xattrs' | 'link' | 'parents';
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}
