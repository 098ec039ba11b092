import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { bareEnvironment, CAISSON } from './caisson.ts';
import type { World } from './world.ts';

/** How large a terminal is. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

let started = 0;

/** A command in a real terminal: tmux, a server of its own. Disposing of it ends both. */
export class TerminalRun implements AsyncDisposable {
  readonly #socket: string;
  readonly #env: Record<string, string>;

  private constructor(socket: string, env: Record<string, string>) {
    this.#socket = socket;
    this.#env = env;
  }

  /**
   * Runs Caisson in the context of a world; the terminal stays when it has ended.
   * @param first what the shell does before
   */
  static async start(
    world: World,
    args: readonly string[],
    size: TerminalSize,
    {
      env = {},
      first = 'true',
    }: { readonly env?: Readonly<Record<string, string>>; readonly first?: string } = {},
  ): Promise<TerminalRun> {
    const command = [process.execPath, CAISSON, ...args].map((arg) => `'${arg}'`).join(' ');
    return TerminalRun.open(world, `${first}; ${command}; echo "exit code $?"; exec sleep 600`, size, env);
  }

  /** Runs a shell command in the context of a world. */
  static async open(
    { store, context, folder }: World,
    command: string,
    { columns, rows }: TerminalSize,
    more: Readonly<Record<string, string>> = {},
  ): Promise<TerminalRun> {
    const env = { ...bareEnvironment(store), LC_ALL: 'C.UTF-8', TERM: 'xterm-256color', ...more };
    // The server before may still be on its way out of its socket.
    started++;
    const run = new TerminalRun(join(folder, `tmux-${started}`), env);
    const size = ['-x', String(columns), '-y', String(rows)];
    await run.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, '-c', context, command);
    return run;
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const { stdout } = await execa('tmux', ['-u', '-S', this.#socket, ...args], {
      env: this.#env,
      extendEnv: false,
      stripFinalNewline: false,
    });
    return stdout;
  }

  /** The lines of the screen down to the last one that has something, as they stand. */
  async screen(): Promise<string[]> {
    return linesOf(await this.#tmux('capture-pane', '-p'));
  }

  /** Everything, what has scrolled up too; with the sequences for colours. */
  async colored(): Promise<string[]> {
    return linesOf(await this.#tmux('capture-pane', '-p', '-e', '-J', '-S', '-'));
  }

  /** Everything, what has scrolled up too; a line that was wrapped is one. */
  async history(): Promise<string[]> {
    return linesOf(await this.#tmux('capture-pane', '-p', '-J', '-S', '-'));
  }

  /** Waits until the screen has a text. @returns the screen */
  async shows(text: string | RegExp): Promise<string[]> {
    const end = performance.now() + 60_000;
    for (;;) {
      const lines = await this.screen();
      const all = lines.join('\n');
      if (typeof text === 'string' ? all.includes(text) : text.test(all)) return lines;
      if (performance.now() > end) throw new Error(`the terminal does not show ${String(text)}:\n${all}`);
      await sleep(50);
    }
  }

  async resize({ columns, rows }: TerminalSize): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Presses keys, by their names in tmux. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** Presses the keys of a text. */
  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', '--', text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined);
  }
}

function linesOf(text: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** Lines in which times, image ids and build ids are the same each time. */
export function masked(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replaceAll(/ +\d+(?:\.\d)? s$/g, '  T')
      .replaceAll(/\d+(?:\.\d)? s\b/g, 'T')
      .replaceAll(/[0-9a-f]{64}/g, 'ID')
      .replaceAll(/sha256:[0-9a-f]{12}$/g, 'sha256:SHORT')
      .replaceAll(/\/logs\/[0-9a-f]{16}\//g, '/logs/BUILD/'),
  );
}
