import { Writable } from 'node:stream';
import { createLogUpdate } from 'log-update';
import type { Terminal } from '../../terminal.ts';
import { width } from './fit.ts';

/*
 * Terminals that know the first mode show what stands between its two ends at once, so that nothing flickers; others
 * take no notice. Without wrapping, a character that is wider than thought cannot put the lines of the frame out of
 * step. No write leaves the terminal changed: whenever the process ends, nothing has to be put right.
 */
const BEGIN = '\u001b[?2026h\u001b[?25l';
const END = '\u001b[?25h\u001b[?2026l';
const ERASE_LINE = '\u001b[2K';
const UP = '\u001b[A';
const NO_WRAP = '\u001b[?7l';
const WRAP = '\u001b[?7h';

/** Lines that stay, and below them a frame that is drawn again and again. Each update is one write, or none. */
export class LiveScreen {
  readonly #write: (text: string) => void;
  readonly #size: NonNullable<Terminal['screen']>;
  readonly #draw: ReturnType<typeof createLogUpdate>;
  #pending = '';
  #frame: readonly string[] = [];
  #columns: number;
  #rows: number;
  /** How many rows of earlier frames have scrolled up, where they could not be erased. */
  #outOfReach = 0;

  constructor(size: NonNullable<Terminal['screen']>, write: (text: string) => void) {
    this.#size = size;
    this.#write = write;
    this.#columns = size.columns;
    this.#rows = size.rows;
    this.#draw = createLogUpdate(
      new FrameStream(size, (text) => {
        this.#pending += text;
      }),
      { showCursor: true },
    );
  }

  /**
   * Writes texts above the frame that stay there, and draws the frame, its lines cut to the size of the terminal.
   * @param lasting with a newline at the end, or empty
   */
  update(lasting: string, frame: readonly string[]): void {
    if (this.#columns !== this.#size.columns || this.#rows !== this.#size.rows) this.#wipe();
    if (lasting !== '') {
      // What is above it stays there.
      this.#outOfReach = 0;
      if (this.#frame.length > 0) this.#draw.clear();
      this.#pending += lasting;
      this.#frame = [];
    }
    if (frame.length > 0) this.#drawFrame(frame);
    else if (this.#frame.length > 0) this.#draw.clear();
    this.#frame = frame;
    const text = this.#pending;
    this.#pending = '';
    if (text !== '') this.#write(BEGIN + text + END);
  }

  #drawFrame(frame: readonly string[]): void {
    const before = this.#pending;
    this.#pending = '';
    this.#draw(frame.join('\n'));
    const drawn = this.#pending;
    this.#pending = before + (drawn === '' ? '' : NO_WRAP + drawn + WRAP);
  }

  /**
   * The terminal has another size. With other columns it has wrapped the lines of the frame anew, which take more rows or
   * fewer now. With fewer rows, lines have scrolled up; they come back when there is room again.
   */
  #wipe(): void {
    const { columns, rows } = this.#size;
    const hasWrapped = this.#columns !== columns;
    const more = Math.max(0, rows - this.#rows);
    [this.#columns, this.#rows] = [columns, rows];
    const drawn = this.#frame.reduce((sum, line) => sum + Math.max(1, Math.ceil(width(line) / columns)), 0);
    // Of lines that have scrolled up and were wrapped, nobody knows where they are.
    const all = drawn + (hasWrapped ? 0 : this.#outOfReach);
    // The cursor stands on a row of its own. Below what has scrolled up, the frame begins at the top of the screen.
    const above = this.#outOfReach === 0 ? rows : drawn + more;
    const reached = Math.min(all, above, rows - 1);
    // Row by row: of a whole screen that is erased at once, tmux keeps a copy among what has scrolled up.
    if (reached > 0) this.#pending += `\r${ERASE_LINE}${`${UP}${ERASE_LINE}`.repeat(reached)}`;
    this.#outOfReach = hasWrapped ? 0 : all - reached;
    this.#frame = [];
    this.#draw.done();
  }
}

/** What log-update takes for a terminal: of that it has the size, and what is written to it is gathered. */
class FrameStream extends Writable {
  /** The marks of an update are ours. */
  readonly isTTY = false;
  readonly #size: NonNullable<Terminal['screen']>;

  constructor(size: NonNullable<Terminal['screen']>, onText: (text: string) => void) {
    super({
      decodeStrings: false,
      write: (text, _encoding, done) => {
        onText(String(text));
        done();
      },
    });
    this.#size = size;
  }

  get columns(): number {
    return this.#size.columns;
  }

  get rows(): number {
    return this.#size.rows;
  }
}
