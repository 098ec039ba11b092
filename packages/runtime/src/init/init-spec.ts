import type { Capability, Identity } from '@caisson/sys';
import type { SystemMount } from '../profile.ts';
import type { Ulimit } from '../limits.ts';
import type { BindMount } from '../sandbox-spec.ts';

/** Where the init finds the error stream of the program that it becomes: its own is that of unshare(1). */
export const PASSED_ERRORS = 3;

/** What the first process of a sandbox becomes, and where. It comes from the sandbox host, as JSON in a file. */
export interface ProgramInit {
  /** The root; on the host. */
  readonly root: string;
  /** The program, in the sandbox. */
  readonly executable: string;
  /** Its arguments, its name first. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly identity: Identity;
  /** What root may do. */
  readonly capabilities: readonly Capability[];
  readonly ulimits: readonly Ulimit[];
  /** Whether its standard input is a terminal of its own. */
  readonly hasTerminal: boolean;
  /** A file in which to say why the sandbox could not be made. */
  readonly problem: string;
}

/** The same for one in namespaces, whose root is mounted. */
export interface InitSpec extends ProgramInit {
  readonly network: 'host' | 'none';
  readonly hostname: string;
  readonly systemMounts: readonly SystemMount[];
  readonly binds: readonly BindMount[];
}

/** Whether a value is such a document. Whoever wrote it is of the same build. */
export function isProgramInit(value: unknown): value is ProgramInit {
  return typeof value === 'object' && value !== null && 'root' in value && 'problem' in value;
}

/** The same for one in namespaces. */
export function isInitSpec(value: unknown): value is InitSpec {
  return isProgramInit(value) && 'systemMounts' in value;
}
