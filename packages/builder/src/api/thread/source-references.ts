import { SourceText } from '@caisson/parser';

/*
 * Places refer to the whole text of their Dockerfile. It travels once; places on their way have its number.
 */

/** What a text is on its way. */
interface SourceReference {
  readonly sourceText: number;
}

function isReference(value: object): value is SourceReference {
  return 'sourceText' in value && typeof value.sourceText === 'number';
}

/** Puts numbers into the place of texts. */
export class SourceNumbers {
  readonly #numbers = new Map<SourceText, number>();
  readonly #onNew: (source: number, text: string) => void;

  /** @param onNew told of each text before its number is used */
  constructor(onNew: (source: number, text: string) => void) {
    this.#onNew = onNew;
  }

  /** A value to send. */
  replaceIn<T>(value: T): T {
    return mapped(value, (each) =>
      each instanceof SourceText ? { sourceText: this.#numberOf(each) } : each,
    );
  }

  #numberOf(source: SourceText): number {
    const known = this.#numbers.get(source);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(source, number);
    this.#onNew(number, source.text);
    return number;
  }
}

/** Puts texts into the place of numbers. */
export class SourceTexts {
  readonly #texts = new Map<number, SourceText>();

  learn(source: number, text: string): void {
    this.#texts.set(source, new SourceText(text));
  }

  /** A value that came. */
  replaceIn<T>(value: T): T {
    return mapped(value, (each) =>
      isReference(each) ? (this.#texts.get(each.sourceText) ?? new SourceText('')) : each,
    );
  }
}

/** A value in which some objects are others: all of what it holds is looked through, bytes and the like are left alone. */
function mapped<T>(value: T, replace: (each: object) => object): T;
function mapped(value: unknown, replace: (each: object) => object): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => mapped(each, replace));
  if (typeof value !== 'object' || value === null) return value;
  const replaced = replace(value);
  if (replaced !== value || Object.getPrototypeOf(value) !== Object.prototype) return replaced;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapped(each, replace)]));
}
