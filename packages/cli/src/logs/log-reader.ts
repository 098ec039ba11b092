import { open, type FileHandle } from 'node:fs/promises';
import { StoreError } from '@caisson/store';
import { LineSplitter } from '../output/line-splitter.ts';

const CHUNK = 64 << 10;

/** Reads the log of a step as lines in which a terminal finds nothing to obey; one that grows, as far as it goes. */
export class LogReader implements AsyncDisposable {
  readonly #path: string;
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  readonly #splitter = new LineSplitter((line) => {
    this.#text += `${this.#before}${line}\n`;
  });
  readonly #before: string;
  #text = '';
  #file: FileHandle | undefined;

  /** @param before what each line begins with */
  constructor(path: string, before = '') {
    this.#path = path;
    this.#before = before;
  }

  /** The lines that are new, a piece after another: none as long as there is no such file. @throws StoreError */
  async *more(): AsyncGenerator<string> {
    try {
      this.#file ??= await openIfThere(this.#path);
      if (this.#file === undefined) return;
      for (;;) {
        const { bytesRead } = await this.#file.read(this.#buffer, 0, CHUNK, null);
        if (bytesRead === 0) return;
        this.#splitter.push(this.#buffer.subarray(0, bytesRead));
        yield this.#take();
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new StoreError('damaged', `the log ${this.#path} cannot be read: ${why}`, { cause: error });
    }
  }

  /** The last line, if it has no end: nothing more is expected. */
  rest(): string {
    this.#splitter.end();
    return this.#take();
  }

  #take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
