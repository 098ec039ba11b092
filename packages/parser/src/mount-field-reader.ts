import type { CacheSharing } from './run-mount.ts';
import { nearest, type Field, type MountProblem } from './mount-fields.ts';

/** Each 1024 times the one before. */
const UNITS = ['', 'k', 'm', 'g', 't', 'p'];

/** Reads the values of a mount's options, and keeps the first that is none. */
export class FieldReader {
  problem: MountProblem | undefined;
  readonly #fields: ReadonlyMap<string, Field>;

  constructor(fields: ReadonlyMap<string, Field>) {
    this.#fields = fields;
  }

  isOn(key: string, otherwise: boolean): boolean {
    const expected = { text: 'true or false', words: ['true', 'false'] };
    return this.#read(key, otherwise, expected, (text) =>
      /^(?:true|t|1)$/i.test(text) ? true : /^(?:false|f|0)$/i.test(text) ? false : undefined,
    );
  }

  number(key: string, otherwise: number): number {
    return this.#read(key, otherwise, { text: 'a number' }, (text) =>
      /^\d{1,10}$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : undefined,
    );
  }

  mode(key: string, otherwise: number): number {
    return this.#read(key, otherwise, { text: 'an octal mode' }, (text) =>
      /^[0-7]{1,4}$/.test(text) ? Number.parseInt(text, 8) : undefined,
    );
  }

  size(key: string): number | undefined {
    return this.#read<number | undefined>(key, undefined, { text: 'a size, for example 64m' }, (text) => {
      const [, count = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text) ?? [];
      return count === '' ? undefined : Math.floor(Number(count) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
    });
  }

  sharing(): CacheSharing {
    const words = ['shared', 'private', 'locked'] as const;
    return this.#read('sharing', 'shared', { text: words.join(', '), words }, (text) =>
      words.find((each) => each === text.toLowerCase()),
    );
  }

  #read<T>(
    key: string,
    otherwise: T,
    { text: expected, words = [] }: { readonly text: string; readonly words?: readonly string[] },
    parse: (text: string) => T | undefined,
  ): T {
    const field = this.#fields.get(key);
    if (field === undefined) return otherwise;
    const value = parse(field.value);
    if (value !== undefined) return value;
    const message = `the mount option ${key}=${field.value} is not valid`;
    this.problem ??= { message, expected, ...nearest(field.value, words), span: field.span };
    return otherwise;
  }
}
