import type { Compression, Digest } from '@caisson/oci';
import type { RegistryOptions } from '@caisson/registry';
import type { FormChoice } from './snapshot/map-support.ts';
import type { ContextModes } from './context/context-modes.ts';
import type { GivenContext } from './context/given-context.ts';
import type { InFlight } from './steps/in-flight.ts';
import type { ExtraHost, Isolation, RuntimeName, SandboxLimits } from '@caisson/runtime';
import type { CacheSize } from '@caisson/store';

/** Where an image goes besides the store. */
export type OutputRequest = LayoutRequest | ArchiveRequest | FolderRequest;

/** Where an archive goes. */
export interface ArchivePlace {
  /** A path, absolute; `-` is the standard output; or what takes the bytes of a tar. */
  readonly destination: string | OutputSink;
}

/** An image as it is handed on. */
export interface LayoutRequest extends ArchivePlace {
  /**
   * `oci`: an OCI image layout (a tar, or a folder where `dest` ends in a slash or is one). `docker`: a tar for
   * `docker load`.
   */
  readonly type: 'oci' | 'docker';
  /** Of layers that lie uncompressed in the store; `none` where it is not given. */
  readonly compression?: Compression | undefined;
}

/** The files of an image as one tar. */
export interface ArchiveRequest extends ArchivePlace {
  readonly type: 'tar';
}

/** The files of an image in a folder. */
export interface FolderRequest {
  readonly type: 'local';
  /** A path, absolute. */
  readonly destination: string;
}

/** Takes the bytes of an output, as fast as it can. @throws BuildError `output` */
export type OutputSink = (bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/** Where a cache lies that machines share. */
export type CacheLocation =
  /** `registry/repository:tag` */
  | { readonly type: 'registry'; readonly reference: string }
  /** A folder, and a tag in it; one that is read may be named by the digest of its manifest. */
  | { readonly type: 'local'; readonly folder: string; readonly tag?: string; readonly digest?: Digest };

/** How a cache is written. */
export type CacheExportRequest = CacheLocation & {
  /** `min` (default): the layers of the image; `max`: those of every step. The records are of every step. */
  readonly mode?: 'min' | 'max';
  /** gzip for a registry, zstd for a folder, where it is not given. */
  readonly compression?: Compression;
};

/** When base images are asked for at their registry. */
export type PullPolicy =
  /** At every build. */
  | 'always'
  /** Where the store does not have them. */
  | 'missing'
  /** Not at all. */
  | 'never'
  /** Their tag at most once a minute; an image that the user named in the store is used as it lies. */
  | 'default';

/** Where a secret comes from. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'value'; readonly value: string | Uint8Array }
  /** Called when a step needs it, each time. */
  | { readonly kind: 'function'; readonly read: () => Promise<string | Uint8Array> };

/** A right that a build gives its steps. */
export type Entitlement = 'network.host';

/** What to build. Paths are absolute, where nothing else is said. */
export interface BuildRequest {
  /** The folder of the store. */
  readonly root: string;
  /** From where relative paths of contexts and of the Dockerfile are seen; the process's folder where it is not given. */
  readonly cwd?: string;
  /**
   * The build context: a folder, an archive, the URL of an archive or of a Dockerfile, a git repository
   * (`https://host/app.git#ref:folder`); the bytes of an archive or a Dockerfile; or files that lie nowhere.
   */
  readonly context: string | AsyncIterable<Uint8Array> | GivenContext;
  /**
   * Further contexts, by name: a folder, `docker-image://NAME`, `oci-layout://FOLDER[:TAG|@DIGEST]`, the URL of an archive,
   * or a git repository. FROM, `--from` and stages of that name are these files, or this image.
   */
  readonly buildContexts?: Readonly<Record<string, string>>;
  /**
   * What the modes of files of contexts count as, in keys and in what is copied: `exact`, what they are; or `normal`, what
   * git keeps of them (0755 for folders and for files that their owner may execute, else 0644), so that the umask of a
   * checkout does not matter. `exact` where it is not given.
   */
  readonly contextModes?: ContextModes;
  /** What layers are mounted from: `auto`, the default, takes maps of their tars where those can be mounted, else trees. */
  readonly forms?: FormChoice;
  /**
   * The Dockerfile, a path or a URL; where it is not given, `Dockerfile` or `dockerfile` in the context. With a context that
   * is no folder of this machine, a relative path is one of the context.
   */
  readonly dockerfile?: string;
  /** The Dockerfile itself, in place of a file. */
  readonly dockerfileText?: string;
  /** Names for the image. */
  readonly names?: readonly string[];
  readonly target?: string;
  /**
   * What the image is to run on: `os/architecture[/variant]`; this machine's platform where none is given. For several there is
   * an image each, which are handed on together (`outputs`, `push`): the store names none of them.
   */
  readonly platforms?: readonly string[];
  /** Over those of the Dockerfile. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** What `RUN --mount=type=secret` may show, by id. Values are in no layer, key or log. */
  readonly secrets?: Readonly<Record<string, SecretSource>>;
  /** What `RUN --mount=type=ssh` may use, by id: the path of an agent's socket, or those of private keys. */
  readonly ssh?: Readonly<Record<string, readonly string[]>>;
  readonly noCache?: boolean;
  /** Stages that are built without the cache, by name. */
  readonly noCacheFilter?: readonly string[];
  /** How much the cache of the store may take. Where it is not given, what CAISSON_CACHE_MAX_SIZE or a config file says,
   * else a tenth of the disk. */
  readonly cacheMaxSize?: CacheSize;
  readonly pull?: PullPolicy;
  readonly network?: 'host' | 'none';
  /** What steps may ask for: `RUN --network=host` needs `network.host`, which a `network` of `host` gives as well. */
  readonly allow?: readonly Entitlement[];
  /** Names that steps find in /etc/hosts. */
  readonly hosts?: readonly ExtraHost[];
  /** What each RUN step may use. */
  readonly limits?: SandboxLimits;
  readonly outputs?: readonly OutputRequest[];
  /** Whether the image is sent to the registries of its names. */
  readonly push?: boolean;
  /** How layers that lie uncompressed in the store travel to registries; `gzip` where it is not given. */
  readonly pushCompression?: Compression | undefined;
  /**
   * Whether the image is put into the store in any case. Where it only goes elsewhere (`outputs`, `push`), it is named in
   * the store if all of it happens to be there.
   */
  readonly isLoaded?: boolean;
  /** Caches that lie elsewhere, to be looked up in after the store. */
  readonly cacheFrom?: readonly CacheLocation[];
  /** Where the cache of this build is written to. */
  readonly cacheTo?: readonly CacheExportRequest[];
  /** In seconds since 1970: no time in what the build makes is later. */
  readonly sourceDateEpoch?: number;
  /** How many steps may run at once. */
  readonly jobs?: number;
  /** What runs steps, in the order in which it is tried; where it is not given, what is installed. */
  readonly runtimes?: readonly RuntimeName[];
  /** Nothing weaker runs any. */
  readonly minIsolation?: Isolation;
  readonly registry?: RegistryOptions;
  /** What the builds of this process work on: a step that another one is at is waited for. Without it, those of this build. */
  readonly inFlight?: InFlight;
  /** Ends the build. */
  readonly signal?: AbortSignal;
}
