import type { ExtraHost, SandboxHost, SandboxLimits } from '@caisson/runtime';
import type { Session, Store } from '@caisson/store';
import type { BuildClock } from '../build-clock.ts';
import type { CacheExport } from '../cache/cache-export.ts';
import type { ImportedCache } from '../cache/imported-cache.ts';
import type { RemoteFiles } from '../copy/remote-files.ts';
import type { SshAgents } from '../ssh-agents.ts';
import type { ResultInBuild } from '../watch/superseded.ts';
import type { IgnoresCache } from './no-cache.ts';
import type { Turns } from './in-flight.ts';
import type { BuildCaches } from './build-caches.ts';
import type { GitRepositories } from '../git/git-repositories.ts';
import type { Emit } from '../events.ts';
import type { Chains } from '../snapshot/chains.ts';
import type { StoredTocs } from '../snapshot/stored-tocs.ts';
import type { SpareTars } from '../watch/spare-tars.ts';

/** What the steps of a build share. */
export interface StepScope {
  readonly store: Store;
  readonly session: Session;
  readonly chains: Chains;
  readonly tocs: StoredTocs;
  /** Tars that may be written over; undefined where the process builds once. */
  readonly spares: SpareTars | undefined;
  readonly clock: BuildClock;
  /** When the build began, in milliseconds since 1970. */
  readonly since: number;
  /** The stages whose steps run whatever the cache has. */
  readonly ignoresCache: IgnoresCache;
  /** The Dockerfile's name, for records. */
  readonly dockerfile: string;
  /** What the build is of; undefined where that has no name. */
  readonly context: string | undefined;
  /** The sandbox host: started when it is first asked for. */
  readonly host: () => Promise<SandboxHost>;
  readonly caches: BuildCaches;
  /** Files of URLs. */
  readonly remote: RemoteFiles;
  /** Git repositories. */
  readonly git: GitRepositories;
  /** The value of a secret; undefined for one that was not given. */
  readonly secret: (id: string) => Promise<Uint8Array | undefined>;
  /** Names that steps find in /etc/hosts, and what they may use. */
  readonly hosts: readonly ExtraHost[];
  readonly limits: SandboxLimits;
  /** The agents that hold keys for ssh. */
  readonly agents: SshAgents;
  /** Caches that lie elsewhere: those that are looked up in, and those that are written. */
  readonly imported: ImportedCache;
  readonly exports: readonly CacheExport[];
  /** What other builds of the process are waited for at; undefined where there are none. */
  readonly turns: Turns | undefined;
  /** Told of each result that a step found, or made. */
  readonly onResult: (result: ResultInBuild) => void;
  readonly emit: Emit;
  /** Aborted when the build is over, however it ended. */
  readonly ends: AbortSignal;
}
