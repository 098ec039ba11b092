import type { Readable } from 'node:stream';
import type { Ulimit } from '@caisson/runtime';

/** Something in a context that lies in no folder. */
export type ContextFile =
  | {
      /** The bytes of a file; a text is written as UTF-8. */
      readonly content: string | Uint8Array;
      /** Its permissions, for example 0o755; 0o644 where they are not given. */
      readonly mode?: number | undefined;
      /** When it was last changed: a date, or milliseconds since 1970; the time of the build where it is not given. */
      readonly mtime?: Date | number | undefined;
    }
  | {
      /** Where a symbolic link leads. */
      readonly symlink: string;
      readonly mtime?: Date | number | undefined;
    }
  | {
      /** A folder: it need not be given, where something lies in it and it has the usual permissions. */
      readonly folder: true;
      /** 0o755 where it is not given. */
      readonly mode?: number | undefined;
      readonly mtime?: Date | number | undefined;
    };

/** A context in memory: what lies at each path. A text or bytes are a file with the permissions 0o644. */
export type ContextTree = Readonly<Record<string, string | Uint8Array | ContextFile>>;

/** One entry of a context that comes entry by entry. */
export type ContextEntry = { readonly path: string } & ContextFile;

/**
 * The files of a build:
 * - a path or a `URL`: a folder, an archive, the URL of an archive, or a git repository (`https://host/app.git#ref:folder`);
 * - a tree in memory: `{ Dockerfile: '...', 'src/app.js': bytes }`;
 * - a stream of the bytes of a tar, compressed or not: a Node or a web stream, or any async iterable of bytes;
 * - an async iterable of entries: `{ path, content }`.
 */
export type Context =
  | string
  | URL
  | ContextTree
  | AsyncIterable<Uint8Array | ContextEntry>
  | ReadableStream<Uint8Array>;

/**
 * The value of a secret: a text or bytes, a function that gives one, which is called only when a step needs the secret, or
 * a file.
 */
export type Secret =
  | string
  | Uint8Array
  | (() => string | Uint8Array | Promise<string | Uint8Array>)
  | { readonly path: string };

/** Where an image is written to besides the store. */
export type Output =
  | {
      /** `oci`: an OCI image layout. `docker`: a tar for `docker load`. */
      readonly type: 'oci' | 'docker';
      /**
       * A path, or what takes the tar. An image layout is a folder where the path ends in a slash or is that of a folder.
       */
      readonly dest: string | Destination;
      /** Of layers that lie uncompressed in the store; `none` where it is not given. */
      readonly compression?: 'gzip' | 'zstd' | 'none' | undefined;
    }
  | {
      /** The files as one tar. */
      readonly type: 'tar';
      /** A path, or what takes the tar. */
      readonly dest: string | Destination;
    }
  | {
      /** The files in a folder. */
      readonly type: 'local';
      /** A path. */
      readonly dest: string;
    };

/**
 * What takes bytes as they come, as fast as it can:
 * - a stream of Node or of the web to write to. It is ended behind the last byte (the standard streams of the process are
 *   not), and destroyed where that does not come;
 * - a function of a stream to read from. A promise that it gives is waited for. It must read all of it.
 */
export type Destination = NodeJS.WritableStream | WritableStream<Uint8Array> | ((bytes: Readable) => unknown);

/** Where a cache lies that machines share. */
export type CacheSource =
  | { readonly type: 'registry'; readonly ref: string }
  | {
      readonly type: 'local';
      /** A folder. */
      readonly src: string;
      readonly tag?: string | undefined;
      /** The digest of its manifest, in place of a tag. */
      readonly digest?: string | undefined;
    };

/** Where a cache is written to, and how. */
export type CacheTarget = {
  /** `min` (default): the layers of the image; `max`: those of every step. */
  readonly mode?: 'min' | 'max' | undefined;
  /** gzip for a registry, zstd for a folder, where it is not given. */
  readonly compression?: 'none' | 'gzip' | 'zstd' | undefined;
} & (
  | { readonly type: 'registry'; readonly ref: string }
  | {
      readonly type: 'local';
      /** A folder. */
      readonly dest: string;
      readonly tag?: string | undefined;
    }
);

/** What a registry is shown. */
export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  /** Sent as it is, as a bearer token. */
  | { readonly token: string }
  /** Exchanged for access tokens; also called a refresh token. */
  | { readonly identityToken: string };

/** How registries are reached. */
export interface RegistryAccessOptions {
  /**
   * Called with the host of a registry as images name it (`docker.io`, `localhost:5000`) when it asks for credentials.
   * Where it gives none, those of `docker login` count.
   */
  readonly credentials?:
    | ((registry: string) => RegistryCredentials | undefined | Promise<RegistryCredentials | undefined>)
    | undefined;
  /** Mirrors to ask first: `{ 'docker.io': ['http://127.0.0.1:5000'] }`. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** What all functions of this package take. */
export interface CommonOptions {
  /** The folder of the store; CAISSON_ROOT, else where programs of this user keep their data, as for the command. */
  readonly root?: string | undefined;
  /** From where relative paths are seen; `process.cwd()` where it is not given. */
  readonly cwd?: string | undefined;
  /** Ends the work: the promise is rejected with the code `cancelled` when nothing of it is left. */
  readonly signal?: AbortSignal | undefined;
}

/** What says which Dockerfile is meant, and what it is built with. */
export interface SourceOptions extends CommonOptions {
  readonly context: Context;
  /** The Dockerfile: a path, seen from `cwd` (in a context that is no folder, from there) or a URL; `Dockerfile` where it is not given. */
  readonly dockerfile?: string | undefined;
  /** The Dockerfile itself, in place of a file. */
  readonly dockerfileText?: string | undefined;
  /** The stage to build; the last where it is not given. */
  readonly target?: string | undefined;
  /** What it is for: `linux/arm64`; this machine's platform where it is not given. */
  readonly platform?: string | undefined;
  /** Values of ARGs. */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  /** Further contexts, by name: a folder, `docker-image://NAME`, `oci-layout://FOLDER`, a URL, or a git repository. */
  readonly buildContexts?: Readonly<Record<string, string>> | undefined;
  /** When base images are asked for at their registry: at most once a minute where it is not given. */
  readonly pull?: 'always' | 'missing' | 'never' | undefined;
  /** In seconds since 1970: no time in what is made is later. SOURCE_DATE_EPOCH where it is not given. */
  readonly sourceDateEpoch?: number | undefined;
  readonly registry?: RegistryAccessOptions | undefined;
}

/** What a step may use. */
export interface Limits {
  /** In bytes, swap included. */
  readonly memory?: number | undefined;
  /** How many processors' time: 1.5 is one and a half. */
  readonly cpus?: number | undefined;
  /** The size of /dev/shm in bytes. */
  readonly shmSize?: number | undefined;
  /** What each of its processes may have of a resource. */
  readonly ulimits?: readonly Ulimit[] | undefined;
}

/** What a build is made of, but for where it goes. */
export interface PlanOptions extends SourceOptions {
  /**
   * What it is for, in place of `platform`, where that is more than one: an image each, which are handed on together (`push`,
   * `outputs`). The store names none of them.
   */
  readonly platforms?: readonly string[] | undefined;
  /** What `RUN --mount=type=secret` shows, by id. Values are in no layer, event or log. */
  readonly secrets?: Readonly<Record<string, Secret>> | undefined;
  /** What `RUN --mount=type=ssh` uses, by id: the path of an agent's socket, or those of private keys. */
  readonly ssh?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Run every step. */
  readonly noCache?: boolean | undefined;
  /** Stages that are built without the cache. */
  readonly noCacheFilter?: readonly string[] | undefined;
  /** Caches that lie elsewhere, to be looked up in after the store. */
  readonly cacheFrom?: readonly CacheSource[] | undefined;
  /** What modes of files count as: `exact` (default), or `normal`: what git keeps of them. */
  readonly contextModes?: 'exact' | 'normal' | undefined;
  /** What layers are mounted from: `auto` (default), maps of their tars where those can be mounted, else trees. */
  readonly forms?: 'auto' | 'trees' | 'maps' | undefined;
  /** The network of RUN steps. */
  readonly network?: 'host' | 'none' | undefined;
  /** What steps may ask for: `RUN --network=host` needs `network.host`. */
  readonly allow?: readonly 'network.host'[] | undefined;
  /** Names that steps find in /etc/hosts, and their addresses. */
  readonly hosts?: Readonly<Record<string, string>> | undefined;
  /** What each RUN step may use. */
  readonly limits?: Limits | undefined;
  /** How many steps may run at once. */
  readonly jobs?: number | undefined;
  /** What runs steps, in the order in which it is tried: `crun`, `runc`, `namespaces`, `chroot`; what there is where it is not given. */
  readonly runtimes?: readonly ('crun' | 'runc' | 'namespaces' | 'chroot')[] | undefined;
  /** How strong the sandboxes of steps must be: nothing weaker runs any. The strongest is `oci`. */
  readonly minIsolation?: 'oci' | 'namespaces' | 'chroot' | undefined;
}

/** What to build, and where it goes. */
export interface BuildOptions extends PlanOptions {
  /** Names for the image: `app`, `registry.example.com/app:1.2`. */
  readonly tags?: string | readonly string[] | undefined;
  /** Labels over those of the Dockerfile. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly outputs?: readonly Output[] | undefined;
  /** Send the image to the registries of its names. */
  readonly push?: boolean | undefined;
  /** How layers that lie uncompressed in the store travel to registries; `gzip` where it is not given. */
  readonly pushCompression?: 'gzip' | 'zstd' | 'none' | undefined;
  /** Put the image into the store in any case, also where it only goes elsewhere. */
  readonly load?: boolean | undefined;
  readonly cacheTo?: readonly CacheTarget[] | undefined;
  /**
   * How much the cache of the store may take: bytes, or a part of the disk in per cent (`'10%'`). Where it is not given, what
   * CAISSON_CACHE_MAX_SIZE or a config file says, as for the command; else a tenth of the disk.
   */
  readonly cacheMaxSize?: number | `${number}%` | undefined;
}
