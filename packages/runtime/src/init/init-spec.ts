import type { Identity } from '@caisson/sys';
import type { SystemMount } from '../profile.ts';
import type { Ulimit } from '../limits.ts';
import type { BindMount } from '../sandbox-spec.ts';

/** What the first process of a sandbox is to do. It comes from the sandbox host, as JSON in a file. */
export interface InitSpec {
  /** The root, mounted; on the host. */
  readonly root: string;
  /** The program, in the sandbox. */
  readonly executable: string;
  /** Its arguments, its name first. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly identity: Identity;
  readonly network: 'host' | 'none';
  readonly hostname: string;
  readonly ulimits: readonly Ulimit[];
  readonly systemMounts: readonly SystemMount[];
  readonly binds: readonly BindMount[];
  /** A file in which to say why the sandbox could not be made. */
  readonly problem: string;
}

/** Whether a value is such a document. Whoever wrote it is of the same build. */
export function isInitSpec(value: unknown): value is InitSpec {
  return typeof value === 'object' && value !== null && 'root' in value && 'problem' in value;
}
