import type { FilesSoFar } from '../file-progress.ts';
import type { WalkSoFar } from '../walk-progress.ts';
import type { ContextModes } from './context-modes.ts';
import type { IgnoreRules } from './ignore-rules.ts';
import { LocalContext } from './local-context.ts';
import type { FileMemory, ListMemory } from './stat-cache.ts';

/** What a folder of the user's is opened as a context with. */
export interface LocalContextOptions {
  /** What people call it. */
  readonly title: string;
  /** Absolute. */
  readonly folder: string;
  readonly rules: IgnoreRules;
  readonly memory: FileMemory & ListMemory;
  readonly modes: ContextModes;
  /** Told how far it is when reading its files takes long. */
  readonly onRead: (title: string, soFar: FilesSoFar) => void;
  /** The same for looking through its folders. */
  readonly onWalk: (title: string, soFar: WalkSoFar) => void;
}

/** Opens a folder of the user's as a context. */
export type OpenLocalContext = (options: LocalContextOptions) => LocalContext;

/** For a build that nothing was looked at for before. */
export const openAnew: OpenLocalContext = (options) => {
  const { title, folder, rules, memory, modes } = options;
  return tellingOf(new LocalContext(title, folder, rules, memory, modes, memory), options);
};

/** Tells how far a context is. */
function tellingOf(context: LocalContext, { title, onRead, onWalk }: LocalContextOptions): LocalContext {
  context.onRead = (soFar) => onRead(title, soFar);
  context.onWalk = (soFar) => onWalk(title, soFar);
  return context;
}

/** Contexts from build to build: each is the one of the build before, as long as it is asked for in the same way. */
export class KeptContexts {
  readonly #kept = new Map<string, { readonly context: LocalContext; readonly as: LocalContextOptions }>();

  readonly open: OpenLocalContext = (options) => {
    const known = this.#kept.get(options.title);
    if (known !== undefined && isSame(known.as, options)) return tellingOf(known.context, options);
    const { title, folder, rules, memory, modes } = options;
    const context = tellingOf(new LocalContext(title, folder, rules, memory, modes), options);
    this.#kept.set(options.title, { context, as: options });
    return context;
  };

  /** Forgets what may not be so any more. No build may be going on. @see LocalContext.refresh */
  refresh(changed: Iterable<string> | 'everything'): void {
    for (const { context } of this.#kept.values()) context.refresh(changed);
  }
}

function isSame(first: LocalContextOptions, second: LocalContextOptions): boolean {
  return (
    first.folder === second.folder &&
    first.rules.path === second.rules.path &&
    first.rules.text === second.rules.text &&
    first.memory === second.memory &&
    first.modes === second.modes
  );
}
