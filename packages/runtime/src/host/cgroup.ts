import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, inUserNamespace, mount, MOUNT } from '@caisson/sys';
import { RuntimeError } from '../errors.ts';
import type { SandboxLimits } from '../limits.ts';
import { writeCgroupFile } from './cgroup-file.ts';
import { mountsHere, type Workspace } from './workspace.ts';

const PREFIX = 'caisson-';
const STALE = 60_000;
const CPU_PERIOD = 100_000;

/** What a controller is told, by the version of its hierarchy. */
interface Setting {
  readonly controller: 'memory' | 'cpu';
  readonly v1: Readonly<Record<string, string>>;
  readonly v2: Readonly<Record<string, string>>;
}

/** A folder of a hierarchy that the sandbox's processes are to be in, and the one that ours are in. */
interface Group {
  readonly folder: string;
  readonly own: string;
}

/**
 * The cgroups of one sandbox, made only where a limit asks for them: in the hierarchies of version 1 or in that of
 * version 2, whichever has the controller here.
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
export class SandboxCgroup {
  readonly #groups: readonly Group[];

  private constructor(groups: readonly Group[]) {
    this.#groups = groups;
  }

  /** @returns undefined where no limit needs one. @throws RuntimeError `unsupported` where none can be made */
  static make(workspace: Workspace, limits: SandboxLimits): SandboxCgroup | undefined {
    const settings = settingsOf(limits);
    if (settings.length === 0) return undefined;
    const name = `${PREFIX}${randomBytes(8).toString('hex')}`;
    const groups = new Map<string, Group>();
    for (const setting of settings) {
      try {
        const { group, version } = makeGroup(workspace, setting, name);
        groups.set(group.folder, group);
        for (const [file, value] of Object.entries(setting[version]))
          writeCgroupFile(group.folder, file, value);
      } catch (error) {
        new SandboxCgroup([...groups.values()]).#remove();
        if (error instanceof RuntimeError) throw error;
        throw cannotLimit(setting, whyNotMade(setting, error));
      }
    }
    return new SandboxCgroup([...groups.values()]);
  }

  /** Starts a process in it: one belongs where the process belongs that starts it. */
  enterFor<T>(start: () => T): T {
    try {
      for (const { folder } of this.#groups) writeCgroupFile(folder, 'cgroup.procs', '0');
      return start();
    } finally {
      for (const { own } of this.#groups) writeCgroupFile(own, 'cgroup.procs', '0');
    }
  }

  /** Takes it away when its processes have ended. */
  async close(): Promise<void> {
    for (let attempt = 0; attempt < 20 && !this.#remove(); attempt++) await sleep(10);
  }

  #remove(): boolean {
    return this.#groups.map(({ folder }) => removeGroup(folder)).every((isGone) => isGone);
  }
}

function settingsOf({ memory, cpus }: SandboxLimits): Setting[] {
  const settings: Setting[] = [];
  if (memory !== undefined) {
    const bytes = String(memory);
    const v1 = { 'memory.limit_in_bytes': bytes, 'memory.memsw.limit_in_bytes': bytes };
    settings.push({ controller: 'memory', v1, v2: { 'memory.max': bytes, 'memory.swap.max': '0' } });
  }
  if (cpus !== undefined) {
    const quota = String(Math.max(1000, Math.round(cpus * CPU_PERIOD)));
    const v1 = { 'cpu.cfs_period_us': String(CPU_PERIOD), 'cpu.cfs_quota_us': quota };
    settings.push({ controller: 'cpu', v1, v2: { 'cpu.max': `${quota} ${CPU_PERIOD}` } });
  }
  return settings;
}

function makeGroup(
  workspace: Workspace,
  setting: Setting,
  name: string,
): { readonly group: Group; readonly version: 'v1' | 'v2' } {
  const { controller } = setting;
  const mounts = mountsHere().filter(({ target }) => !target.startsWith(workspace.folder));
  const v1 = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
  const v2 = mounts.find(({ type }) => type === 'cgroup2');
  const found = v1 ?? v2;
  if (found === undefined) throw cannotLimit(setting, 'no cgroups are mounted');
  const version = v1 === undefined ? 'v2' : 'v1';
  const root = writableView(workspace, found.target, v1 === undefined ? 'unified' : controller);
  const own = join(root, ownPath(v1 === undefined ? '' : controller));
  const parent = version === 'v1' ? own : parentWith(root, own, controller);
  if (parent === undefined) throw cannotLimit(setting, 'no cgroup above this process passes it on');
  sweep(parent);
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  return { group: { folder, own }, version };
}

/** A hierarchy as this process may write to it, whatever was closed to the runtimes. */
function writableView(workspace: Workspace, target: string, name: string): string {
  const view = join(workspace.folder, 'cgroups', name);
  if (existsSync(view)) return view;
  mkdirSync(view, { recursive: true });
  mount({ source: target, target: view, flags: MOUNT.bind });
  mount({ target: view, flags: MOUNT.bind | MOUNT.remount });
  return view;
}

/** Where this process is in the hierarchy of a controller: that of version 2 is named by none. */
function ownPath(controller: string): string {
  const lines = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .map((each) => /^\d+:([^:]*):(.*)$/.exec(each));
  const line =
    lines.find((match) => match?.[1]?.split(',').includes(controller) === true) ??
    lines.find((match) => match?.[1] === '');
  return line?.[2] ?? '/';
}

/** The nearest group that lets its children use a controller: one with processes of its own cannot. */
function parentWith(root: string, own: string, controller: string): string | undefined {
  for (let at = own; at.startsWith(root); at = dirname(at)) {
    const passedOn = readFileSync(join(at, 'cgroup.subtree_control'), 'utf8').trim().split(' ');
    if (passedOn.includes(controller)) return at;
  }
  return undefined;
}

/** Groups of builders that were killed. One with processes in it cannot be removed. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(parent, name);
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.ctimeMs > STALE) removeGroup(folder);
  }
}

function removeGroup(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
}

function whyNotMade({ controller }: Setting, error: unknown): string {
  if (!['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? ''))
    return error instanceof Error ? error.message : String(error);
  return `this process may make no cgroup below its own, ${ownPath(controller)} (${controller})`;
}

function cannotLimit({ controller }: Setting, why: string): RuntimeError {
  const what = controller === 'memory' ? 'the memory' : 'the processors';
  return new RuntimeError('unsupported', `${what} of a step cannot be limited here: ${why}`, {
    hint: inUserNamespace()
      ? 'systemd gives a user cgroups: systemd-run --user --scope caisson ...'
      : 'a limit needs cgroups that this process may write to: not in most containers',
  });
}
