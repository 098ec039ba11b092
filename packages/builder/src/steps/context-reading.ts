import { LayerError } from '@caisson/layer';
import type { LocalContext } from '../context/local-context.ts';
import { buildError } from '../failure.ts';

/**
 * The context of a step, which somebody may be writing to. Where a file changes or goes away while it is read, what was
 * seen before counts for nothing: all is looked at anew, once.
 */
export class ContextReading {
  /** As it was looked at last. */
  #context: LocalContext;
  #isAnew = false;
  readonly #warn: (message: string) => void;

  /** @param warn told of the file */
  constructor(context: LocalContext, warn: (message: string) => void) {
    this.#context = context;
    this.#warn = warn;
  }

  get context(): LocalContext {
    return this.#context;
  }

  /**
   * Reads in the context.
   * @param again in place of `read`, where that has to be done another time
   * @throws BuildError `changed-while-read` where it goes on changing
   */
  async read<T>(read: () => Promise<T>, again = read): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!isChange(error)) throw error;
      if (this.#isAnew) throw goesOn(error);
      this.#isAnew = true;
      // Other steps hold on to what they saw of the old one.
      this.#context = this.#context.lookAnew();
      this.#warn(`${error.message}; it is read once more`);
    }
    return this.read(again);
  }
}

function isChange(error: unknown): error is LayerError {
  return error instanceof LayerError && error.code === 'changed-while-read';
}

function goesOn({ message }: LayerError): Error {
  return buildError('changed-while-read', `${message}, twice`, {
    hint: 'an ignore file can hide what programs keep writing',
  });
}
