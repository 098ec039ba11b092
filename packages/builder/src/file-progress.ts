/** How far work on many files is. */
export interface FilesSoFar {
  /** How many are done, of how many. */
  readonly files: number;
  readonly allFiles: number;
  /** How much of them is done, of how much; in bytes. */
  readonly done: number;
  readonly size: number;
  /** Since it began, in milliseconds. */
  readonly duration: number;
}

/** A part of such work. Disposing of it says that it has ended. */
export interface FilesWork extends Disposable {
  /** Says how many files of it are done, and how many bytes. */
  readonly advance: (files: number, done: number) => void;
}

/** Work that takes less is not told of, in milliseconds. */
const LONG = 1000;
/** How often it is told of then. */
const INTERVAL = 100;

/** Tells how far work on many files is, once it takes long: now and then, and when it is complete. */
export class FileProgress {
  readonly #tell: (soFar: FilesSoFar) => void;
  readonly #now: () => number;
  #parts = 0;
  #begunAt = 0;
  #next = 0;
  #soFar = { files: 0, allFiles: 0, done: 0, size: 0 };
  /** How many files were done when it was told last. */
  #told = 0;

  /** @param now the time in milliseconds */
  constructor(tell: (soFar: FilesSoFar) => void, now = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  /** Begins with so many files of so many bytes; with what is going on already it is one work. */
  begin(files: number, size: number): FilesWork {
    if (this.#parts === 0) {
      this.#begunAt = this.#now();
      this.#next = 0;
      this.#soFar = { files: 0, allFiles: 0, done: 0, size: 0 };
      this.#told = 0;
    }
    this.#parts++;
    const soFar = this.#soFar;
    soFar.allFiles += files;
    soFar.size += size;
    const own = { files: 0, done: 0 };
    return {
      advance: (filesNow, doneNow) => {
        soFar.files += filesNow - own.files;
        soFar.done += doneNow - own.done;
        own.files = filesNow;
        own.done = doneNow;
        this.#note();
      },
      [Symbol.dispose]: () => {
        this.#parts--;
      },
    };
  }

  #note(): void {
    const now = this.#now();
    const { files, allFiles } = this.#soFar;
    if (now < this.#begunAt + LONG || (files < allFiles ? now < this.#next : files === this.#told)) return;
    this.#next = now + INTERVAL;
    this.#told = files;
    this.#tell({ ...this.#soFar, duration: now - this.#begunAt });
  }
}
