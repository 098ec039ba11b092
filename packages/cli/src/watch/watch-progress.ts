import { relative } from 'node:path';
import type { WatchEvent } from '@caisson/builder';
import type { BuildFlags } from '../build-options.ts';
import { buildFailuresText, warningText } from '../failure-text.ts';
import { counted } from '../output/format.ts';
import { printableLine } from '../output/line-splitter.ts';
import { openProgress, progressKind } from '../output/open-progress.ts';
import type { Progress, ProgressKind } from '../output/progress.ts';
import type { Terminal } from '../terminal.ts';

/** How many files a line names. */
const NAMED = 3;

/** Shows what a watch tells: each build as `build` shows it in lines, what led to it, and what came of it. */
export class WatchProgress {
  readonly #terminal: Terminal;
  readonly #isQuiet: boolean;
  readonly #kind: ProgressKind;
  #build: Progress;

  private constructor(terminal: Terminal, kind: ProgressKind, isQuiet: boolean, build: Progress) {
    this.#terminal = terminal;
    this.#kind = kind;
    this.#isQuiet = isQuiet;
    this.#build = build;
  }

  /** @throws UsageError */
  static async open(
    flags: Pick<BuildFlags, 'progress' | 'quiet'>,
    terminal: Terminal,
  ): Promise<WatchProgress> {
    const asked = flags.quiet === true ? 'quiet' : progressKind(flags.progress, terminal);
    // What a container or a command writes comes between: lines stand that.
    const kind = asked === 'auto' || asked === 'tty' ? 'plain' : asked;
    const isQuiet = kind === 'quiet' || kind === 'rawjson';
    return new WatchProgress(terminal, kind, isQuiet, await openProgress(kind, terminal));
  }

  /** Shows an event. */
  async show(event: WatchEvent): Promise<void> {
    const terminal = this.#terminal;
    const tell = (line: string): void => {
      if (!this.#isQuiet) terminal.error(`${line}\n`);
    };
    switch (event.kind) {
      case 'changed':
        this.#build = await openProgress(this.#kind, terminal); // of another build
        return tell(`changed: ${filesText(event.paths, terminal.cwd)}`);
      case 'overtaken': {
        const kept = event.kept === 0 ? '' : `; ${counted(event.kept, 'step')} of use goes on`;
        return tell(`changed while it was built: ${filesText(event.paths, terminal.cwd)}${kept}`);
      }
      case 'built': {
        const { steps } = event.result;
        const what = event.isNew ? 'built' : 'built, with the same result as before,';
        const after = (event.duration / 1000).toFixed(2);
        return tell(`${what} in ${after} s: ${counted(steps.cached, 'step')} cached, ${steps.ran} ran`);
      }
      case 'not-built':
        return terminal.error(buildFailuresText(event.failures, terminal.hasColor));
      case 'watch-limit': {
        const { sysctl, value } = event.limit;
        const message = `the kernel does not watch more files: ${sysctl} is ${value ?? 'not known'}; until it is raised, files are looked at every ${counted(event.poll, 'second')}`;
        const hint = `sysctl ${sysctl}=${value === undefined ? 'NUMBER' : Math.max(128, value * 8)}`;
        return terminal.error(warningText({ message, hint }, terminal.hasColor));
      }
      case 'waiting':
        return tell('waiting for changes');
      default:
        return this.#build.emit(event);
    }
  }
}

function filesText(paths: readonly string[] | undefined, cwd: string): string {
  if (paths === undefined) return 'many files';
  const shown = paths.slice(0, NAMED).map((path) => {
    const inside = relative(cwd, path);
    return printableLine(inside.startsWith('../') ? path : inside || '.');
  });
  const rest = paths.length - shown.length;
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
