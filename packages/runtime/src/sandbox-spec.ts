import type { Time } from '@caisson/sys';
import type { ExtraHost, SandboxLimits } from './limits.ts';
import type { DiffId, Digest } from '@caisson/oci';

/** How strong a sandbox is. docs/architecture.md, "Isolation", has the ladder. */
export type Isolation = 'oci' | 'namespaces' | 'chroot';

/** The OCI runtimes that Caisson knows how to start. */
export type OciRuntimeName = 'crun' | 'runc';

/** What makes sandboxes on this host. */
export type RuntimeName = OciRuntimeName | 'namespaces' | 'chroot';

/** A folder or file of the host that is shown in a sandbox. */
export interface BindMount {
  /** On the host, absolute. */
  readonly source: string;
  /** In the sandbox, absolute. */
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** A layer that is mounted as the tar that it is, through its map. Absolute paths on the host. */
export interface MappedLayer {
  readonly map: string;
  readonly tar: string;
}

/** What a layer is mounted from: its tree, a folder of the host, or its map and its tar. */
export type Lower = string | MappedLayer;

/** A layer as it is copied where nothing can be mounted. Absolute paths on the host. */
export interface LayerFiles {
  /** What it is known by: two layers that are the same have the same. */
  readonly id: string;
  /** The file of its table of contents. */
  readonly toc: string;
  /** What the bytes of its files are read from: its tar, at the places that the table of contents says. */
  readonly tar: string | undefined;
  /** Where there is no tar: folders that show the layer, lowest first. */
  readonly folders: readonly string[];
}

/** Gives the layers of a state, lowest first, in the form that is asked for. */
export interface LayerSource {
  /** To be mounted. */
  lowers(): Promise<readonly Lower[]>;
  /** To be copied. */
  files(): Promise<readonly LayerFiles[]>;
}

/** Something that is made for a sandbox and shown in it. Targets are absolute. */
export type SandboxMount<Layers = LayerSource> =
  /** A folder or file of the host. */
  | ({ readonly kind: 'folder' } & BindMount)
  /** A folder of the store's, which nobody else uses meanwhile where it cannot be mounted. */
  | ({
      readonly kind: 'cache';
      /** A file that says where the folder is while it is moved away: for whoever has to bring it back. */
      readonly away: string;
    } & BindMount)
  /** A stack of layers, or a path in it. What is written to it is dropped. */
  | {
      readonly kind: 'layers';
      readonly layers: Layers;
      readonly path: string;
      readonly target: string;
      readonly isReadOnly: boolean;
    }
  /** An empty folder in memory. */
  | {
      readonly kind: 'tmpfs';
      readonly target: string;
      /** In bytes. */
      readonly size: number | undefined;
    }
  /** A file that lies in memory only. */
  | {
      readonly kind: 'secret';
      readonly target: string;
      readonly bytes: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  /** A socket through which the keys of an ssh agent of the host's can be used. */
  | {
      readonly kind: 'agent';
      readonly target: string;
      /** On the host. */
      readonly socket: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** A program that is run, and how. */
export interface ProgramSpec {
  /** The program and its arguments. A name without a slash is looked for in the PATH of `env`. */
  readonly args: readonly string[];
  /** `NAME=value`. HOME is added where it is missing. */
  readonly env: readonly string[];
  /** Absolute. Made, owned by the user, where it is missing. */
  readonly cwd: string;
  /** `user[:group]`, names or numbers, as in an image config; `''` is root. */
  readonly user: string;
  readonly network: 'host' | 'none';
  /** The name of its machine; `buildkitsandbox` where it is not given. */
  readonly hostname?: string;
  /** Names in its /etc/hosts besides its own. */
  readonly hosts?: readonly ExtraHost[];
  /** What it may use; what is not said is not limited. */
  readonly limits?: SandboxLimits;
  /**
   * `stream`: no input, output as events. `inherit`: those of the calling process. `terminal`: a terminal of its own on that of
   * the calling process. `passed`: those that the host was started with.
   */
  readonly stdio: 'stream' | 'inherit' | 'terminal' | 'passed';
  /** Keep standard input open; only where stdio is not `stream`. */
  readonly stdin: boolean;
}

/** What runs in a sandbox, and what it is shown. */
export interface SandboxSpec<Layers = LayerSource> extends ProgramSpec {
  /** In the order in which they are made: one may lie in another. */
  readonly mounts: readonly SandboxMount<Layers>[];
}

/** A sandbox to run on a stack of layers. */
export interface SandboxRequest<Layers = LayerSource> {
  readonly layers: Layers;
  /** An empty folder for what the step changes, on the file system of the store. */
  readonly folder: string;
  readonly spec: SandboxSpec<Layers>;
  /** Make a layer of what changed, if the program ends with 0. */
  readonly commit?: CommitRequest;
}

/** Where to write a layer. */
export interface CommitRequest {
  /** A new file for the tar. */
  readonly tar: string;
  /** A new file for the table of contents. */
  readonly toc: string;
  /** No time in the layer is later (SOURCE_DATE_EPOCH). */
  readonly latest?: Time;
}

/** A layer that a step gave. */
export interface CommittedLayer {
  readonly diffId: DiffId;
  readonly contentDigest: Digest;
  /** The size of the tar in bytes. */
  readonly size: number;
  /** A folder that can become the layer's tree by rename; undefined where it lies on another file system. */
  readonly tree: string | undefined;
}

/** How a sandbox ended. */
export interface SandboxResult {
  /** The exit code of the program; 128 and the signal's number where a signal ended it. */
  readonly exitCode: number;
  /** What made the sandbox. */
  readonly runtime: RuntimeName;
  /** Runtimes that were tried before and could not make it, with the reason. */
  readonly refused: readonly { readonly runtime: RuntimeName; readonly reason: string }[];
  /** Present where a commit was asked for and the exit code is 0. */
  readonly layer?: CommittedLayer;
}
