import type { Argument, Command, Option } from 'commander';

/** What of a command line came before the word that is being written. */
export interface LineSoFar {
  readonly command: Command;
  /** What stands for arguments of the command. */
  readonly words: readonly string[];
  /** The values of flags, by their long names; of a flag without one, none. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** What the word under the cursor is. */
export type Cursor = LineSoFar &
  (
    | { readonly kind: 'flag' }
    /** The value of a flag. `before` is what stands of the word before it: `--progress=`. */
    | { readonly kind: 'value'; readonly option: Option; readonly before: string }
    | { readonly kind: 'command' }
    /** `undefined`: the command takes no further one. */
    | { readonly kind: 'argument'; readonly argument: Argument | undefined }
  );

/**
 * Reads a command line as far as the cursor, as commander reads whole ones.
 * @param words those behind the name of the program; the last one is being written, and may be empty
 */
export function cursorOf(program: Command, words: readonly string[]): Cursor {
  const line = new LineReader(program);
  for (const word of words.slice(0, -1)) line.read(word);
  return line.cursor(words.at(-1) ?? '');
}

class LineReader implements LineSoFar {
  command: Command;
  readonly words: string[] = [];
  readonly values = new Map<string, string[]>();
  /** The flag whose value the next word is. */
  #open: Option | undefined;
  #hasFlags = true;

  constructor(program: Command) {
    this.command = program;
  }

  read(word: string): void {
    if (this.#open !== undefined) {
      this.#note(this.#open, word);
      this.#open = undefined;
    } else if (word === '--') this.#hasFlags = false;
    else if (this.#hasFlags && word.startsWith('--')) this.#readLong(word);
    else if (this.#hasFlags && /^-./.test(word)) this.#readShort(word.slice(1));
    else this.#readPlain(word);
  }

  cursor(word: string): Cursor {
    const { command, words, values } = this;
    const line = { command, words, values };
    if (this.#open !== undefined) return { ...line, kind: 'value', option: this.#open, before: '' };
    if (this.#hasFlags && word.startsWith('-')) {
      const [, flag = ''] = /^(--[^=]+)=/.exec(word) ?? [];
      const option = this.#find(flag);
      if (option === undefined || isSwitch(option)) return { ...line, kind: 'flag' };
      return { ...line, kind: 'value', option, before: `${flag}=` };
    }
    if (command.commands.length > 0) return { ...line, kind: 'command' };
    const { registeredArguments } = command;
    const last = registeredArguments.at(-1);
    const argument = registeredArguments[words.length] ?? (last?.variadic === true ? last : undefined);
    return { ...line, kind: 'argument', argument };
  }

  #readLong(word: string): void {
    const [flag = '', ...value] = word.split('=');
    const option = this.#find(flag);
    if (option === undefined) return;
    if (option.required && value.length === 0) this.#open = option;
    else this.#note(option, ...(value.length === 0 ? [] : [value.join('=')]));
  }

  /** `-it`, `-t app`, `-tapp` */
  #readShort(letters: string): void {
    const option = this.#find(`-${letters.slice(0, 1)}`);
    const rest = letters.slice(1);
    if (option?.required === true) {
      if (rest === '') this.#open = option;
      else this.#note(option, rest);
      return;
    }
    if (option !== undefined) this.#note(option);
    if (rest !== '') this.#readShort(rest);
  }

  #readPlain(word: string): void {
    const below = this.command.commands.find((each) => each.name() === word);
    if (below !== undefined && this.words.length === 0) {
      this.command = below;
      return;
    }
    this.words.push(word);
    // What follows the image of `run`, or the program of `unshare`, is for that.
    if (this.command.registeredArguments.at(-1)?.name() === 'command') this.#hasFlags = false;
  }

  #note(option: Option, ...values: readonly string[]): void {
    const name = option.long ?? option.flags;
    this.values.set(name, [...(this.values.get(name) ?? []), ...values]);
  }

  #find(flag: string): Option | undefined {
    const help = this.command.createHelp();
    return help.visibleOptions(this.command).find(({ long, short }) => flag === long || flag === short);
  }
}

function isSwitch({ required, optional }: Option): boolean {
  return !required && !optional;
}
