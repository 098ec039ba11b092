import { open, rm, type FileHandle } from 'node:fs/promises';

const CHUNK = 1 << 20;

/**
 * A file that can be read while it is written, by any number of readers, each from its beginning. Disposing of it removes
 * it.
 */
export class GrowingFile implements AsyncDisposable {
  readonly #path: string;
  readonly #handle: FileHandle;
  #size = 0;
  #state: 'growing' | 'complete' | 'gone' = 'growing';
  #more = Promise.withResolvers<void>();

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** @param path where nothing is yet */
  static async create(path: string): Promise<GrowingFile> {
    return new GrowingFile(path, await open(path, 'wx+'));
  }

  /** Adds bytes. One call at a time. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#handle.appendFile(bytes);
    this.#size += bytes.length;
    this.#wake();
  }

  /** Says that nothing more comes. */
  complete(): void {
    this.#state = 'complete';
    this.#wake();
  }

  /** The bytes from the beginning; waits for what is still to come. They end with an error where the file is removed. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    for (let at = 0; ;) {
      if (this.#state === 'gone') throw new Error('a file was removed while it was read');
      if (at < this.#size) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK, this.#size - at));
        const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, at);
        at += bytesRead;
        yield chunk.subarray(0, bytesRead);
      } else if (this.#state === 'complete') {
        return;
      } else {
        await this.#more.promise;
      }
    }
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.#wake();
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }
}
