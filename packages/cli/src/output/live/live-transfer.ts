import type { Digest } from '@caisson/oci';
import { screenOf, type Terminal } from '../../terminal.ts';
import type { TransferEvent, TransferView, Travelling } from '../transfer-view.ts';
import { Lines } from './lines.ts';
import { LiveScreen } from './screen.ts';
import { themeFor } from './theme.ts';
import { Transfer } from './transfer.ts';

/** How often is drawn, in milliseconds. */
const INTERVAL = 100;

/** An image that travels, on a terminal: a bar with its rate, which gives way to a line that stays. */
export class LiveTransfer implements TransferView {
  readonly #travelling: Travelling;
  readonly #transfer = new Transfer(performance.now());
  /** What is compressed on the way. */
  readonly #compressed = new Transfer(performance.now());
  readonly #lines: Lines;
  readonly #screen: LiveScreen;
  readonly #timer: NodeJS.Timeout;
  /** What is to scroll up with the next drawing. */
  #lasting = '';

  constructor(travelling: Travelling, terminal: Terminal) {
    const screen = screenOf(terminal);
    this.#travelling = travelling;
    this.#lines = new Lines(themeFor(terminal.env, terminal.hasColor), () => screen.columns);
    this.#screen = new LiveScreen(screen, terminal.error);
    this.#timer = setInterval(() => this.#draw(), INTERVAL);
    this.#timer.unref();
  }

  readonly note = (event: TransferEvent): void => {
    if (event.kind === 'transfer') return;
    if (event.kind === 'compress') {
      this.#compressed.note(event.digest, event.done, event.size, performance.now());
      return;
    }
    if (event.kind === 'fetch' && event.wasThere === true) {
      this.#transfer.forget(event.digest);
      return;
    }
    const done = event.kind === 'fetch' ? event.received : event.sent;
    this.#transfer.note(event.digest, done, event.size, performance.now());
  };

  readonly tell = (text: string): void => {
    this.#lasting += text;
  };

  readonly complete = (digest?: Digest): void => {
    const { way, name } = this.#travelling;
    const what = `${way === 'down' ? 'pulled' : 'pushed'} ${name}`;
    this.tell(`${this.#lines.done(what, this.#transfer.summary)}\n`);
    if (digest !== undefined) this.tell(`${this.#lines.quiet(digest)}\n`);
  };

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#update([]);
  }

  #draw(): void {
    const { way, name } = this.#travelling;
    const now = performance.now();
    const lines = [this.#lines.transfer(way, name, this.#transfer, now)];
    if (!this.#compressed.isOver(now, 0))
      lines.unshift(this.#lines.transfer('read', `compressing ${name}`, this.#compressed, now));
    this.#update(lines);
  }

  #update(frame: readonly string[]): void {
    const lasting = this.#lasting;
    this.#lasting = '';
    this.#screen.update(lasting, frame);
  }
}
