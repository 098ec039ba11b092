import { CircumstancesError } from '../usage-error.ts';
import { thisMachine } from './machine.ts';
import { userNamespace, type NoNamespace, type UserNamespace } from './user-namespace.ts';

/** What works with files of other owners, or on cgroups, mounts and namespaces. Whatever else there is only reads. */
const NEEDS_IDS: ReadonlySet<string> = new Set([
  'build',
  'watch',
  'plan',
  'run',
  'tag',
  'rmi',
  'pull',
  'push',
  'prune',
  'du',
  'store',
  'doctor',
  'unshare',
]);

/** What comes after the name of these may be options of another program. */
const RUNS_OTHERS: ReadonlySet<string> = new Set(['run', 'unshare']);

/**
 * Whether a command line is of no use to an ordinary user without subordinate ids. It is decided before anything is
 * loaded, by its words alone: what is wrong with them shows later.
 */
export function needsIds(args: readonly string[]): boolean {
  const index = args.findIndex((arg, at) => !arg.startsWith('-') && args[at - 1] !== '--root');
  const command = args[index] ?? '';
  const flags = RUNS_OTHERS.has(command) ? args.slice(index + 1, index + 2) : args.slice(index + 1);
  const isAnswer = flags.some((arg) => ['-h', '--help', '--check'].includes(arg) || arg.startsWith('--call'));
  return NEEDS_IDS.has(command) && !isAnswer;
}

/**
 * Becomes root of a user namespace, for a command that needs it: the program begins again in it, as the same process.
 * Where there is none to be had it goes on, and {@link checkIds} says why when it comes to what needs one.
 */
export function enterNamespaceFor(args: readonly string[]): void {
  if (!needsIds(args)) return;
  const namespace = userNamespace(thisMachine);
  if (namespace.ok) enter(namespace);
}

/**
 * Sandboxes and layers with owners need root: that of the machine, or of a user namespace.
 * @throws CircumstancesError saying why there is none
 */
export function checkIds(): void {
  const why = whyNoIds();
  if (why !== undefined) throw new CircumstancesError(why.message, { hint: why.hint });
}

/** Why this user can give files to nobody; undefined for root. Whoever can become root of a user namespace does so. */
export function whyNoIds(): NoNamespace | undefined {
  if (process.getuid?.() === 0) return undefined;
  const namespace = userNamespace(thisMachine);
  if (!namespace.ok) return namespace.error;
  enter(namespace);
  return undefined;
}

function enter({ file, args }: Extract<UserNamespace, { ok: true }>): void {
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve?.(file, [file, ...args, ...self], process.env);
}
