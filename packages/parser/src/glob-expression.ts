/** A piece of a pattern. */
export type GlobPiece =
  /** One character, as the source of a regular expression. */
  | { readonly kind: 'one'; readonly source: string }
  /** Any number of characters: all that are, or all but slashes. */
  | { readonly kind: 'run'; readonly holdsSlash: boolean }
  /** Any number of folders, each with its slash. */
  | { readonly kind: 'folders' };

/** How many steps a regular expression may take that goes back for each of its runs. */
const MOST_STEPS = 2_000_000;

/**
 * A pattern that fits whole texts. A regular expression is fast until its runs get in one another's way: then all that
 * may fit is followed side by side, in a time that grows with the text and the pattern and no faster.
 */
export class GlobExpression {
  readonly #pieces: readonly GlobPiece[];
  readonly #runs: number;
  readonly #expression: RegExp;
  #characters: readonly RegExp[] | undefined;

  constructor(pieces: readonly GlobPiece[]) {
    this.#pieces = pieces;
    this.#runs = pieces.filter(({ kind }) => kind !== 'one').length;
    this.#expression = new RegExp(`^${pieces.map(sourceOf).join('')}$`, 'su');
  }

  /** Whether it fits a text. */
  test(text: string): boolean {
    if (text.length ** this.#runs <= MOST_STEPS) return this.#expression.test(text);
    return this.#follow(text);
  }

  #follow(text: string): boolean {
    this.#characters ??= this.#pieces.map((piece) => new RegExp(`^${sourceOf(piece)}$`, 'su'));
    let places = new Places(this.#pieces);
    places.enter(0);
    for (const character of text) {
      const next = new Places(this.#pieces);
      for (const [index, piece] of this.#pieces.entries()) {
        if (places.isWithin(index)) next.stayWithin(index, character === '/');
        if (!places.isBefore(index)) continue;
        if (piece.kind === 'run' && (piece.holdsSlash || character !== '/')) next.enter(index);
        if (piece.kind === 'one' && this.#characters[index]?.test(character) === true) next.enter(index + 1);
      }
      places = next;
    }
    return places.isBefore(this.#pieces.length);
  }
}

function sourceOf(piece: GlobPiece): string {
  switch (piece.kind) {
    case 'one':
      return piece.source;
    case 'run':
      return piece.holdsSlash ? '.*' : '[^/]*';
    case 'folders':
      return '(?:.*/)?';
  }
}

/** Where in a pattern one may have come to. */
class Places {
  readonly #pieces: readonly GlobPiece[];
  readonly #before: Uint8Array;
  readonly #within: Uint8Array;

  constructor(pieces: readonly GlobPiece[]) {
    this.#pieces = pieces;
    this.#before = new Uint8Array(pieces.length + 1);
    this.#within = new Uint8Array(pieces.length);
  }

  isBefore(index: number): boolean {
    return this.#before[index] === 1;
  }

  /** Whether one may be in the middle of a folder's name. */
  isWithin(index: number): boolean {
    return this.#within[index] === 1;
  }

  /** Comes to a piece, and past it where it may stand for nothing. */
  enter(index: number): void {
    for (let at = index; this.#before[at] === 0; at++) {
      this.#before[at] = 1;
      const kind = this.#pieces[at]?.kind;
      if (kind === 'folders') this.#within[at] = 1;
      if (kind !== 'run' && kind !== 'folders') return;
    }
  }

  stayWithin(index: number, isEnd: boolean): void {
    this.#within[index] = 1;
    if (isEnd) this.enter(index + 1);
  }
}
