import type { CommonOptions, PlanOptions } from './build-options.ts';
import type { RegistryAccessOptions } from './build-options.ts';

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
  readonly network?: 'host' | 'none' | undefined;
  /** When to ask the registry for the image: `missing` where it is not given. */
  readonly pull?: 'always' | 'missing' | 'never' | undefined;
  readonly runtimes?: PlanOptions['runtimes'];
  readonly registry?: RegistryAccessOptions | undefined;
}

/** What a program wrote. */
export interface RunOutput {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}
