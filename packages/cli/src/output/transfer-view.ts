import type { BuildEvent } from '@caisson/builder';
import type { Digest } from '@caisson/oci';
import type { Terminal } from '../terminal.ts';
import { FarLines } from './far-lines.ts';
import { drawsLive } from './open-progress.ts';
import { otherLine } from './plain-lines.ts';

/** What happens to an image that is pulled or pushed. */
export type TransferEvent = Extract<BuildEvent, { kind: 'compress' | 'fetch' | 'send' | 'transfer' }>;

/** Shows an image that travels without a build. Disposing of it takes away what does not stay. */
export interface TransferView extends Disposable {
  readonly note: (event: TransferEvent) => void;
  /** A warning or whatever else stays, with a newline at its end. */
  readonly tell: (text: string) => void;
  /** All of it is there. @param digest the manifest's, where somebody wants to know it */
  readonly complete: (digest?: Digest) => void;
}

/** An image on its way. */
export interface Travelling {
  readonly way: 'down' | 'up';
  /** As people write it. */
  readonly name: string;
}

/** Begins to show an image that travels: as a build does on a terminal, else in lines. @param isQuiet only warnings */
export async function openTransferView(
  travelling: Travelling,
  terminal: Terminal,
  isQuiet: boolean,
): Promise<TransferView> {
  if (isQuiet || !drawsLive(terminal)) return new TransferLines(travelling, terminal, isQuiet);
  const { LiveTransfer } = await import('./live/live-transfer.ts');
  return new LiveTransfer(travelling, terminal);
}

/** In lines. */
class TransferLines implements TransferView {
  readonly tell: (text: string) => void;
  readonly #travelling: Travelling;
  readonly #isQuiet: boolean;
  readonly #far = new FarLines();

  constructor(travelling: Travelling, terminal: Pick<Terminal, 'error'>, isQuiet: boolean) {
    this.tell = terminal.error;
    this.#travelling = travelling;
    this.#isQuiet = isQuiet;
  }

  readonly note = (event: TransferEvent): void => {
    this.#line(event.kind === 'transfer' ? otherLine(event) : this.#far.line(event));
  };

  readonly complete = (digest?: Digest): void => {
    const { way, name } = this.#travelling;
    this.#line(`${way === 'down' ? 'pulled' : 'pushed'} ${name}${digest === undefined ? '' : `@${digest}`}`);
  };

  #line(line: string | undefined): void {
    if (line !== undefined && !this.#isQuiet) this.tell(`${line}\n`);
  }

  [Symbol.dispose](): void {}
}
