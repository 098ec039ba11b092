import type { ContainerConfig, Platform } from '@caisson/oci';
import type { CacheSharing, Range, SourceText } from '@caisson/parser';
import type { GitReference } from '../git/git-reference.ts';
import type { BaseImage } from '../bases/base-image.ts';
import type { LocalContext } from '../context/local-context.ts';
import type { FileMode } from '../copy/file-mode.ts';

/** Where in a Dockerfile something stands. */
export interface Place {
  readonly path: string;
  readonly source: SourceText;
  readonly range: Range;
}

/** What every step has. */
interface PlannedBase {
  /** What people see of it: `RUN npm ci`. */
  readonly text: string;
  readonly place: Place;
}

/** A command to run. */
export interface PlannedRun extends PlannedBase {
  readonly kind: 'run';
  /** The program and its arguments, the shell's among them. */
  readonly args: readonly string[];
  /** `NAME=value`: of the image, and of the args in scope. */
  readonly env: readonly string[];
  /** The names of those variables that are args. */
  readonly argNames: readonly string[];
  /** What the step gets besides, which is in no key. */
  readonly unkeyedEnv: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly network: 'host' | 'none';
  /** The name of its machine, where it is not the usual one. */
  readonly hostname: string | undefined;
  /** What is shown to the command besides the files of the stage; by target. */
  readonly mounts: readonly PlannedMount[];
  /** A script that stands in the Dockerfile, to be run as a file. */
  readonly script: { readonly name: string; readonly bytes: Uint8Array } | undefined;
}

/** Files to copy. */
export interface PlannedCopy extends PlannedBase {
  /** `from`: the files of a context that a stage builds on. */
  readonly kind: 'copy' | 'add' | 'from';
  readonly sources: readonly PlannedSource[];
  readonly from: CopyOrigin;
  /** Absolute; ends in a slash where it must be a folder. */
  readonly destination: string;
  /** As written, expanded: `user[:group]`. */
  readonly chown: string | undefined;
  readonly chmod: FileMode | undefined;
  /** Patterns of what is left out of each source. */
  readonly excludes: readonly string[];
  /** Whether the folders above each source come along. */
  readonly hasParents: boolean;
  /** Whether ADD unpacks archives: of the context unless told otherwise, of URLs if told so. */
  readonly isUnpacked: boolean | undefined;
  /** Whether it is written as if there was nothing before it. */
  readonly isLinked: boolean;
}

export type PlannedSource =
  | {
      readonly kind: 'path';
      readonly text: string;
      /** Whether it is one name, whatever wildcards are in it. */
      readonly isLiteral?: boolean;
      readonly place: Place;
    }
  | { readonly kind: 'inline'; readonly name: string; readonly bytes: Uint8Array }
  | {
      readonly kind: 'remote';
      readonly url: string;
      readonly name: string;
      /** What it must turn out to be. */
      readonly checksum: string | undefined;
      readonly place: Place;
    }
  | {
      readonly kind: 'git';
      /** As it is told. */
      readonly text: string;
      readonly reference: GitReference;
      readonly keepsGitFolder: boolean;
      readonly place: Place;
    };

/** Where COPY takes files from. */
export type CopyOrigin =
  | { readonly kind: 'context'; readonly context: LocalContext }
  | { readonly kind: 'stage'; readonly stage: PlannedStage }
  | { readonly kind: 'image'; readonly image: BaseImage };

/** A mount of a RUN. Targets are absolute. */
export type PlannedMount =
  | {
      readonly kind: 'bind';
      readonly target: string;
      readonly source: PlannedSource & { readonly kind: 'path' };
      readonly from: CopyOrigin;
      readonly isReadOnly: boolean;
    }
  | {
      readonly kind: 'cache';
      readonly target: string;
      readonly id: string;
      readonly isReadOnly: boolean;
      readonly sharing: CacheSharing;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      /** What is in it when it is new; nothing where this is undefined. */
      readonly seed: MountedFiles | undefined;
    }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly size: number | undefined }
  | {
      readonly kind: 'secret';
      readonly id: string;
      /** Where it is a file. */
      readonly target: string | undefined;
      /** The variable that it is the value of. */
      readonly env: string | undefined;
      readonly isRequired: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly place: Place;
    }
  /** The socket of an agent that has keys for ssh. */
  | {
      readonly kind: 'ssh';
      readonly id: string;
      readonly target: string;
      /** Whether SSH_AUTH_SOCK names it. */
      readonly isDefault: boolean;
      readonly isRequired: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly place: Place;
    };

/** Files that a mount is made from. */
export interface MountedFiles {
  readonly source: PlannedSource & { readonly kind: 'path' };
  readonly from: CopyOrigin;
}

/** A working folder to make. */
export interface PlannedWorkdir extends PlannedBase {
  readonly kind: 'workdir';
  /** Absolute. */
  readonly path: string;
  /** Who it is to belong to. */
  readonly user: string;
}

/** Something that changes files. Everything else in a Dockerfile changes the config alone. */
export type PlannedStep = PlannedRun | PlannedCopy | PlannedWorkdir;

/** A line of the history that the image will have. */
export interface PlannedHistory {
  readonly createdBy: string;
  /** The step that makes the layer; undefined for an instruction that makes none. */
  readonly step: PlannedStep | undefined;
}

/** What a stage builds on. */
export type StageBase =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'image'; readonly image: BaseImage }
  | { readonly kind: 'stage'; readonly stage: PlannedStage };

/** A stage, everything in it expanded. */
export interface PlannedStage {
  readonly index: number;
  /** Its name, or `stage-0`. */
  readonly title: string;
  readonly base: StageBase;
  /** What its programs are for: the platform of the image that it builds on, if it builds on one. */
  readonly platform: Platform;
  readonly steps: readonly PlannedStep[];
  /** What the stage adds to the history of its base. */
  readonly history: readonly PlannedHistory[];
  readonly config: ContainerConfig;
  readonly author: string | undefined;
}
