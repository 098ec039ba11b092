import { closeSync, openSync } from 'node:fs';
import { join, relative } from 'node:path';
import { acceptConnection, closeDescriptor, listenAt, receiveDescriptor } from '@caisson/sys';
import type { ShownTerminal, StandardStreams } from './output.ts';
import { TerminalRelay } from './terminal-relay.ts';

const POLL_MS = 5;
const NAME = 'console';
/** What the runtime says that comes not even to write its log; in the folder of the sandbox. */
export const SAID = 'said';

/**
 * The terminal that crun makes for a program, which it sends over a socket (`--console-socket`). It could show it itself,
 * but where it is not let run in time it ends before it has shown all, and it tells nobody that the window has another
 * size (crun 1.8).
 */
export class ReceivedTerminal implements ShownTerminal {
  readonly path = NAME;
  readonly streams: StandardStreams;
  readonly #isInteractive: boolean;
  readonly #drained = Promise.withResolvers<void>();
  #socket: number | undefined;
  #connection: number | undefined;
  #relay: TerminalRelay | undefined;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param folder an empty folder, from which the runtime is started
   * @param isInteractive whether it is typed in
   */
  constructor(folder: string, isInteractive: boolean) {
    this.#isInteractive = isInteractive;
    // Of the path of a socket the kernel takes little.
    this.#socket = listenAt(relative(process.cwd(), join(folder, NAME)));
    this.#drained.promise.catch(() => {}); // told to who waits for it
    const said = openSync(join(folder, SAID), 'wx', 0o600);
    this.streams = {
      stdio: ['ignore', 'ignore', said],
      started: () => {
        closeSync(said);
        this.#await();
      },
      ended: () => this.#giveUp(),
      drained: this.#drained.promise,
      terminal: this,
    };
  }

  resize(): void {
    this.#relay?.resize();
  }

  #await(): void {
    try {
      if (!this.#take()) this.#timer = setTimeout(() => this.#await(), POLL_MS);
    } catch (error) {
      this.#close();
      this.#drained.reject(error);
    }
  }

  /** @returns whether it is here */
  #take(): boolean {
    if (this.#socket === undefined) return true;
    this.#connection ??= acceptConnection(this.#socket);
    const master = this.#connection === undefined ? undefined : receiveDescriptor(this.#connection);
    if (master === undefined) return false;
    this.#close();
    this.#relay = new TerminalRelay(master, this.#isInteractive);
    this.#drained.resolve(this.#relay.drained);
    return true;
  }

  /** Of a runtime that could not make the sandbox it need not come. */
  #giveUp(): void {
    if (this.#take()) return;
    this.#close();
    this.#drained.resolve();
  }

  #close(): void {
    clearTimeout(this.#timer);
    for (const descriptor of [this.#connection, this.#socket])
      if (descriptor !== undefined) closeDescriptor(descriptor);
    this.#connection = undefined;
    this.#socket = undefined;
  }

  [Symbol.dispose](): void {
    this.#close();
    this.#relay?.[Symbol.dispose]();
    this.#drained.resolve();
  }
}
