/** What can go wrong when a step is run. */
export type RuntimeErrorCode =
  /** The process may not do what a sandbox needs. */
  | 'not-root'
  /** A program of the host that is needed is not there. */
  | 'missing-tool'
  /** The kernel, or the store's file system, lacks something. */
  | 'unsupported'
  /** The user of the step is not known in the image, or no valid id. */
  | 'no-such-user'
  /** The program of the step is not in the image. */
  | 'no-such-command'
  /** The program of the step is in the image, but no program. */
  | 'not-executable'
  /** The image or the step wants something mounted or entered where that is not safe. */
  | 'unsafe-path'
  /** No sandbox could be made. */
  | 'sandbox-failed'
  /** What the step left behind cannot be made a layer. */
  | 'commit-failed'
  /** The process that runs the sandboxes ended. */
  | 'host-died'
  | 'no-space'
  | 'aborted';

/** The one error that this package throws for what it was given or found. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeErrorCode;
  /** What the user can do about it, where that is known. */
  readonly hint: string | undefined;

  constructor(code: RuntimeErrorCode, message: string, details: { hint?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
  }
}

/** What keeps a program of ours from coming up, most often: Node waits for ever for threads that it cannot have. */
export const THREADS_HINT =
  'a limit on processes and threads may be too low here (ulimit -u, or the pids of a container): 64 are enough';

/** What lets a container make the namespaces that sandboxes need. */
export const NAMESPACES_HINT =
  'a container must be started with --cap-add SYS_ADMIN, --security-opt seccomp=unconfined and --security-opt apparmor=unconfined, or with --privileged';
