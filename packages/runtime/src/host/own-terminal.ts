import { readlinkSync } from 'node:fs';
import { closeDescriptor, openPseudoterminal } from '@caisson/sys';
import type { ShownTerminal, StandardStreams } from './output.ts';
import { TerminalRelay } from './terminal-relay.ts';

/** A terminal of a program's own, for the runtimes that make none. */
export class OwnTerminal implements ShownTerminal {
  readonly path: string;
  readonly streams: StandardStreams;
  readonly #relay: TerminalRelay;
  #slave: number | undefined;

  /** @param isInteractive whether it is typed in */
  constructor(isInteractive: boolean) {
    const { master, slave } = openPseudoterminal();
    this.#slave = slave;
    using stack = new DisposableStack();
    stack.defer(() => this.#closeSlave());
    this.#relay = stack.use(new TerminalRelay(master, isInteractive));
    this.path = readlinkSync(`/proc/self/fd/${slave}`);
    stack.move();
    this.streams = {
      stdio: [slave, slave, slave],
      started: () => this.#closeSlave(),
      drained: this.#relay.drained,
      terminal: this,
    };
  }

  resize(): void {
    this.#relay.resize();
  }

  /** The program has it: here it is closed, so that its end is seen. */
  #closeSlave(): void {
    if (this.#slave !== undefined) closeDescriptor(this.#slave);
    this.#slave = undefined;
  }

  [Symbol.dispose](): void {
    this.#closeSlave();
    this.#relay[Symbol.dispose]();
  }
}
