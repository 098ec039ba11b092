import type { CommonOptions, Destination, PlanOptions, RegistryAccessOptions } from './build-options.ts';

/**
 * What a program reads: a text or bytes; a stream of Node (`process.stdin`, for one) or of the web; any async iterable of
 * texts or bytes.
 */
export type ProgramInput =
  | string
  | Uint8Array
  | AsyncIterable<string | Uint8Array>
  | ReadableStream<string | Uint8Array>;

/** What to run, and how. */
export interface RunOptions extends CommonOptions {
  /** A name, an image id or the beginning of one. */
  readonly image: string;
  /** In place of the image's command. */
  readonly command?: readonly string[] | undefined;
  /** In place of the image's entry point; its command does not count then. */
  readonly entrypoint?: readonly string[] | undefined;
  /** Over the image's. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The working folder in the container. */
  readonly workdir?: string | undefined;
  /** `user[:group]`, names or numbers. */
  readonly user?: string | undefined;
  /** Folders and files of this machine that are shown in the container. */
  readonly volumes?:
    | readonly {
        readonly source: string;
        /** In the container, absolute. */
        readonly target: string;
        readonly readOnly?: boolean | undefined;
      }[]
    | undefined;
  /** What it reads from its standard input; nothing where it is not given. */
  readonly input?: ProgramInput | undefined;
  /** What takes its standard output in place of iterators. The program waits for it. */
  readonly stdout?: Destination | undefined;
  /** What takes its standard error in place of iterators. */
  readonly stderr?: Destination | undefined;
  readonly network?: 'host' | 'none' | undefined;
  /** When to ask the registry for the image: `missing` where it is not given. */
  readonly pull?: 'always' | 'missing' | 'never' | undefined;
  readonly runtimes?: PlanOptions['runtimes'];
  readonly minIsolation?: PlanOptions['minIsolation'];
  readonly forms?: PlanOptions['forms'];
  readonly registry?: RegistryAccessOptions | undefined;
}

/** What a program wrote. */
export interface RunOutput {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}
