import { relative } from 'node:path';
import type { Failure, WatchEvent } from '@caisson/builder';
import type { BuildFlags } from '../build-options.ts';
import { warningText } from '../failure-text.ts';
import { counted } from '../output/format.ts';
import { printableLine } from '../output/line-splitter.ts';
import { isLive, progressKind } from '../output/open-progress.ts';
import type { Terminal } from '../terminal.ts';
import { LineRounds } from './line-rounds.ts';
import type { Rounds } from './rounds.ts';
import type { Started, Teller } from './running.ts';
import { ToldWarnings } from './told-warnings.ts';

/** How many files a line names. */
const NAMED = 3;

/** Shows what a watch tells: each build, what led to it, and what came of it. */
export class WatchProgress implements Disposable, Teller {
  readonly #terminal: Terminal;
  readonly #rounds: Rounds;
  readonly #warnings = new ToldWarnings();
  /** What was said last, where that was an error. */
  #lastError: string | undefined;

  private constructor(terminal: Terminal, rounds: Rounds) {
    this.#terminal = terminal;
    this.#rounds = rounds;
  }

  /** @throws UsageError */
  static async open(
    flags: Pick<BuildFlags, 'progress' | 'quiet' | 'run' | 'exec'>,
    terminal: Terminal,
  ): Promise<WatchProgress> {
    return new WatchProgress(terminal, await openRounds(flags, terminal));
  }

  /** Shows an event. */
  async show(event: WatchEvent): Promise<void> {
    const rounds = this.#rounds;
    const { cwd, hasColor } = this.#terminal;
    switch (event.kind) {
      case 'changed':
        await rounds.begin();
        return rounds.tell(`changed: ${filesText(event.paths, cwd)}`);
      case 'overtaken': {
        const kept = event.kept === 0 ? '' : `; ${counted(event.kept, 'step')} of use goes on`;
        return rounds.tell(`changed while it was built: ${filesText(event.paths, cwd)}${kept}`);
      }
      case 'built':
        this.#lastError = undefined;
        this.#warnings.end(true);
        return rounds.built(event);
      case 'not-built':
        this.#warnings.end(false);
        return this.#showFailures(event.failures);
      case 'watch-limit': {
        const { sysctl, value } = event.limit;
        const message = `the kernel does not watch more files: ${sysctl} is ${value ?? 'not known'}; until it is raised, files are looked at every ${counted(event.poll, 'second')}`;
        const hint = `sysctl ${sysctl}=${value === undefined ? 'NUMBER' : Math.max(128, value * 8)}`;
        return rounds.warn(warningText({ message, hint }, hasColor));
      }
      case 'warning':
        return rounds.isForPrograms || !this.#warnings.isKnown(event) ? rounds.emit(event) : undefined;
      case 'waiting':
        return rounds.rest();
      default:
        return rounds.emit(event);
    }
  }

  /** An error that a change did nothing about is one line; one of a step, or in the Dockerfile, is told anew. */
  #showFailures(failures: readonly Failure[]): void {
    const [first, ...others] = failures;
    const isPlain = first !== undefined && others.length === 0 && first.place === undefined;
    const error = isPlain ? first.message : undefined;
    if (error !== undefined && error === this.#lastError)
      this.#rounds.warn(`as before: ${printableLine(error)}\n`);
    else this.#rounds.failed(failures);
    this.#lastError = error;
  }

  /** Ctrl-C was pressed. */
  interrupted(): void {
    this.#rounds.interrupted();
  }

  /** Shows a line about what the watch does besides building. */
  tell(line: string): void {
    this.#rounds.tell(line);
  }

  /** Shows that what was started for an image ended by itself. */
  exited(what: Started, exitCode: number): void {
    this.#rounds.exited(what, exitCode);
  }

  [Symbol.dispose](): void {
    this.#rounds[Symbol.dispose]();
  }
}

async function openRounds(
  { progress, quiet, run, exec }: Pick<BuildFlags, 'progress' | 'quiet' | 'run' | 'exec'>,
  terminal: Terminal,
): Promise<Rounds> {
  const kind = quiet === true ? 'quiet' : progressKind(progress, terminal);
  if (kind === 'quiet' || kind === 'rawjson') return LineRounds.open(kind, terminal);
  if (!isLive(kind, terminal)) return LineRounds.open('plain', terminal);
  // What a container or a command writes comes between: only lines stand that.
  const other = run === undefined ? (exec === undefined ? undefined : '--exec') : '--run';
  if (other !== undefined) {
    const message = `with ${other}, which writes to the same terminal, builds are shown in lines, and not as tty`;
    if (kind === 'tty') terminal.error(warningText({ message }, terminal.hasColor));
    return LineRounds.open('plain', terminal);
  }
  const { LiveRounds } = await import('./live-rounds.ts');
  return new LiveRounds(terminal);
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
