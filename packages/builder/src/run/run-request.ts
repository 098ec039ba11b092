import type { FormChoice } from '../snapshot/map-support.ts';
import type { OnTransfer, RegistryOptions } from '@caisson/registry';
import type { BindMount, Isolation, RuntimeName } from '@caisson/runtime';
import type { OutputTaker } from './run-streams.ts';

/** What to run. */
export interface RunRequest {
  /** The folder of the store. */
  readonly root: string;
  /** A name, an image id or the beginning of one. */
  readonly image: string;
  /** In place of the image's command. */
  readonly command?: readonly string[];
  /** In place of the image's entry point; its command does not count then. */
  readonly entrypoint?: readonly string[];
  /** `NAME=value`, over the image's. */
  readonly env?: readonly string[];
  readonly cwd?: string;
  /** `user[:group]` */
  readonly user?: string;
  readonly binds?: readonly BindMount[];
  readonly network?: 'host' | 'none';
  /** Keep the standard input open. */
  readonly isInteractive?: boolean;
  /** Give the program a terminal. */
  readonly hasTerminal?: boolean;
  /** What runs it, in the order in which it is tried; where it is not given, what is installed. */
  readonly runtimes?: readonly RuntimeName[];
  /** Nothing weaker runs it. */
  readonly minIsolation?: Isolation;
  /** What layers are mounted from: `auto`, the default, takes maps of their tars where those can be mounted, else trees. */
  readonly forms?: FormChoice;
  /** Whether a missing image is pulled. */
  readonly pull?: 'missing' | 'never' | 'always';
  readonly registry?: RegistryOptions;
  /** Told how far the layers are of an image that is pulled. */
  readonly onTransfer?: OnTransfer;
  /** Told when it is there, and nothing has been run yet. */
  readonly onPulled?: () => void;
  /** Takes what the program writes; where it is not given, the program has the standard streams of this process. */
  readonly onOutput?: OutputTaker;
  /** What the program reads, where somebody takes its output; nothing where it is not given. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Ends what runs, at once. */
  readonly signal?: AbortSignal;
}
