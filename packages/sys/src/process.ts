import { cString, cStringArray, libcFunction } from './libc.ts';
import { SyscallError } from './syscall-error.ts';
import { systemCall } from './system-call.ts';

const pipe2 = libcFunction('int pipe2(int32_t *fds, int flags)');
const closeFunction = libcFunction('int close(int fd)');
const dup2 = libcFunction('int dup2(int from, int to)');
const closeRange = systemCall('close_range', 'uint32_t first, uint32_t last, int flags');
const execveFunction = libcFunction('int execve(const void *path, const int64_t *argv, const int64_t *envp)');
const prctl = libcFunction('int prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)');
const signalFunction = libcFunction('int64_t signal(int signum, int64_t handler)');
const sigemptyset = libcFunction('int sigemptyset(uint8_t *set)');
const sigprocmask = libcFunction('int sigprocmask(int how, const uint8_t *set, uint8_t *old)');
const umaskFunction = libcFunction('uint32_t umask(uint32_t mask)');
const sethostname = libcFunction('int sethostname(const void *name, size_t length)');
const setsidFunction = libcFunction('int setsid(void)');
const setrlimit = libcFunction('int setrlimit(int resource, const int64_t *limit)');
const chdirFunction = libcFunction('int chdir(const void *path)');

const fcntl = libcFunction('int fcntl(int fd, int command, int argument)');

const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETPIPE_SZ = 1031;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const CLOSE_RANGE_CLOEXEC = 4;
const ALL_FDS = 0xffffffff;

/**
 * Makes a pipe whose two ends are not inherited by children unless passed on. node:child_process makes sockets for
 * the output of a child, and a process cannot open `/dev/stdout` when that is a socket.
 */
export function makePipe(): { readonly read: number; readonly write: number } {
  const fds = new Int32Array(2);
  pipe2([fds, O_CLOEXEC]);
  const [read, write] = fds;
  if (read === undefined || write === undefined) throw new Error('Internal error: pipe2 gave no descriptors');
  return { read, write };
}

/**
 * Gives a pipe room for more than the 64 KiB that it is made with, where the system allows it (`pipe-user-pages-soft`).
 * @param descriptor one of its ends
 * @param size in bytes
 */
export function enlargePipe(descriptor: number, size: number): void {
  try {
    fcntl([descriptor, F_SETPIPE_SZ, size]);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
}

/** Has reads of a descriptor fail with EAGAIN where nothing is there: a thread that waits in one cannot be ended. */
export function setNonBlocking(descriptor: number): void {
  fcntl([descriptor, F_SETFL, fcntl([descriptor, F_GETFL, 0]) | O_NONBLOCK]);
}

/** Makes a descriptor another name of what a second one is open to. What it was before is closed. */
export function copyDescriptor(from: number, to: number): void {
  dup2([from, to]);
}

/** Closes a descriptor that Node did not open: in a thread, it warns of those that it is asked to close. */
export function closeDescriptor(descriptor: number): void {
  closeFunction([descriptor]);
}

/**
 * Marks every descriptor from `first` on as one that no program started from here inherits. A descriptor of the
 * host's that reaches a container is a way out of it (CVE-2024-21626).
 */
export function closeOnExecFrom(first: number): void {
  closeRange([first, ALL_FDS, CLOSE_RANGE_CLOEXEC]);
}

const SIGNALS = 64;
const SIGKILL = 9;
const SIGSTOP = 19;
const SIG_SETMASK = 2;

/** Gives every signal its default action and unblocks all: Node ignores SIGPIPE, and an ignored signal stays so. */
export function resetSignals(): void {
  for (let signal = 1; signal <= SIGNALS; signal++) {
    if (signal === SIGKILL || signal === SIGSTOP || signal === 32 || signal === 33) continue;
    signalFunction([signal, 0]);
  }
  const none = Buffer.alloc(128);
  sigemptyset([none]);
  sigprocmask([SIG_SETMASK, none, null]);
}

/** Lets the next program have standard input, output and error: Node marks them close-on-exec when it starts. */
export function passOnStandardStreams(): void {
  for (const fd of [0, 1, 2]) fcntl([fd, F_SETFD, 0]);
}

/** Lets reads and writes of the standard streams wait again, as the next program expects: Node does that in threads. */
export function blockOnStandardStreams(): void {
  for (const fd of [0, 1, 2]) fcntl([fd, F_SETFL, fcntl([fd, F_GETFL, 0]) & ~O_NONBLOCK]);
}

/**
 * Becomes another program. Returns only by throwing. Unlike `process.execve`, a failure (no such file, not
 * executable) is an error with its code, not the end of the process.
 */
export function execve(file: string | Uint8Array, args: readonly string[], env: readonly string[]): never {
  const argv = cStringArray(args);
  const envp = cStringArray(env);
  execveFunction([cString(file), argv.pointers, envp.pointers], file);
  throw new Error('Internal error: execve returned');
}

/** Sets the file mode creation mask of the process. Unlike `process.umask`, it may be called anywhere. */
export function setUmask(mask: number): void {
  umaskFunction([mask]);
}

/** Names this UTS namespace. */
export function setHostname(name: string): void {
  sethostname([cString(name), Buffer.byteLength(name)]);
}

/**
 * Limits this process and its children; -1 is without limit.
 * @param resource its number for the kernel
 */
export function setResourceLimit(resource: number, soft: number, hard: number): void {
  setrlimit([resource, new BigInt64Array([BigInt(soft), BigInt(hard)])]);
}

/** Begins a session of its own. */
export function beginSession(): void {
  setsidFunction([]);
}

/** Changes the current folder. Unlike `process.chdir`, it takes bytes. */
export function changeFolder(path: string | Uint8Array): void {
  chdirFunction([cString(path)], path);
}

const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_DUMPABLE = 4;

/** From here on no program gains privileges by a set-user-id bit or file capabilities. */
export function setNoNewPrivileges(): void {
  prctl([PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
}

/** Hides this process from others of the same user: its memory, environment and descriptors. */
export function setNotDumpable(): void {
  prctl([PR_SET_DUMPABLE, 0, 0, 0, 0]);
}

/**
 * Lets the kernel kill this process when the one that started it ends. A change of user takes this back.
 * @returns whether that one still lives
 */
export function endWithParent(): boolean {
  const parent = process.ppid;
  prctl([PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]);
  return parent === process.ppid && parent !== 1;
}
